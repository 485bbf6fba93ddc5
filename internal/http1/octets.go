package http1

// Set is a set of octets.
type Set [256]bool

// What RFC 9110, section 5, lets stand in names and values.
var Token, Value Set

func init() {
	for c := '!'; c <= '~'; c++ {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			Token[c] = true
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		Token[c] = true
	}
	for c := ' '; c <= 0xff; c++ {
		Value[c] = c != 0x7f
	}
	Value['\t'] = true
}

// All reports whether b has only octets of the set.
func All[T string | []byte](b T, set *Set) bool {
	for i := 0; i < len(b); i++ {
		if !set[b[i]] {
			return false
		}
	}
	return true
}

// Lower is an ASCII letter in lower case, and what is none as it is.
func Lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// EqualFold compares with a text in lower case, in ASCII: Unicode's folding takes the Kelvin sign
// for a k.
func EqualFold[T string | []byte](b T, text string) bool {
	if len(b) != len(text) {
		return false
	}
	for i := 0; i < len(b); i++ {
		if Lower(b[i]) != text[i] {
			return false
		}
	}
	return true
}

// Trim drops spaces and tabs at both ends.
func Trim[T string | []byte](b T) T {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// Element takes the next element off a comma-separated list.
func Element[T string | []byte](list T) (first, rest T) {
	for i := 0; i < len(list); i++ {
		if list[i] == ',' {
			return Trim(list[:i]), list[i+1:]
		}
	}
	return Trim(list), list[len(list):]
}

// Digit reports whether c is a decimal digit.
func Digit(c byte) bool { return c >= '0' && c <= '9' }

// Hex is the value of a hexadecimal digit, or -1.
func Hex(c byte) int {
	switch {
	case Digit(c):
		return int(c - '0')
	case Lower(c) >= 'a' && Lower(c) <= 'f':
		return int(Lower(c)-'a') + 10
	}
	return -1
}
