package handler

// fewFields is how many fields have their values beside the text of their head.
const fewFields = 8

// Heads with few fields, and small bodies behind them, are one allocation with the values of the
// fields. The sizes are such that the whole is one of the allocator's.
type (
	tinyHead struct {
		values [fewFields]string
		text   [288]byte
	}
	smallHead struct {
		values [fewFields]string
		text   [568]byte
	}
)

// headMemory is memory for a head and a body of n bytes together, and for the values of the head's
// fields if they are likely to be few.
func headMemory(n int) (text []byte, values []string) {
	switch {
	case n <= len(tinyHead{}.text):
		m := new(tinyHead)
		return m.text[:n], m.values[:0]
	case n <= len(smallHead{}.text):
		m := new(smallHead)
		return m.text[:n], m.values[:0]
	}
	return make([]byte, n), nil
}
