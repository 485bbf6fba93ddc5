package msgpack

import (
	"bytes"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/shamaton/msgpack/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// format is grid.Format.
type format interface {
	Append(b []byte, v any) ([]byte, error)
	Decode(b []byte, into any) error
}

var _ format = Format{}

type inner struct {
	Names []string
	Raw   []byte
}

type sample struct {
	Name  string `msgpack:"n"`
	Size  int64
	At    time.Time
	Ratio float64
	Tags  map[string]string
	Inner []inner
	Any   any
}

func newSample() sample {
	return sample{
		Name: "name", Size: -1 << 40, At: time.Unix(1700000000, 5), Ratio: 0.5,
		Tags:  map[string]string{"a": strings.Repeat("b", 300)},
		Inner: []inner{{Names: []string{"x", "y"}, Raw: bytes.Repeat([]byte{1}, 70000)}, {}},
		Any:   "text",
	}
}

func TestFormat_brings_values_back_in_both_forms(t *testing.T) {
	for _, f := range []Format{{}, {Arrays: true}} {
		want := newSample()
		b, err := f.Append([]byte("before"), want)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(b, []byte("before")))
		var got sample
		require.NoError(t, f.Decode(b[6:], &got))
		assert.True(t, want.At.Equal(got.At))
		got.At = want.At
		assert.Equal(t, want.Inner[0], got.Inner[0])
		assert.Equal(t, want.Tags, got.Tags)
		assert.Equal(t, want.Name, got.Name)
	}
}

func TestFormat_keeps_nothing_of_the_message(t *testing.T) {
	b, err := Format{}.Append(nil, newSample())
	require.NoError(t, err)
	var got sample
	require.NoError(t, Format{}.Decode(b, &got))
	clear(b)
	assert.Equal(t, "name", got.Name)
	assert.Equal(t, []string{"x", "y"}, got.Inner[0].Names)
	assert.EqualValues(t, 1, got.Inner[0].Raw[0])
}

func TestFormat_refuses_what_is_no_single_value(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "unexpected EOF",
		"c1":                                    "begins no value",
		"0102":                                  "1 bytes follow",
		"92c0":                                  "unexpected EOF",
		"ddffffffff":                            "unexpected EOF",
		"dfffffffff":                            "unexpected EOF",
		"c6ffffff":                              "unexpected EOF",
		"c6ffffffff":                            "unexpected EOF",
		"d8":                                    "unexpected EOF",
		"cb00":                                  "unexpected EOF",
		strings.Repeat("91", MaxDepth+1) + "c0": "nested deeper",
		strings.Repeat("91", 1<<20):             "nested deeper",
	} {
		b, err := hex.DecodeString(in)
		require.NoError(t, err)
		var got any
		assert.ErrorContains(t, Format{}.Decode(b, &got), want, "%.20s", in)
	}
	var got any
	b, err := hex.DecodeString(strings.Repeat("91", MaxDepth) + "c0")
	require.NoError(t, err)
	require.NoError(t, Format{}.Decode(b, &got))
	require.ErrorIs(t, check(nil), io.ErrUnexpectedEOF)
}

func TestFormat_makes_errors_of_panics(t *testing.T) {
	var names []string
	require.Error(t, Format{}.Decode([]byte{0xc4, 1, 'x'}, &names))
	var any any
	require.Error(t, Format{}.Decode([]byte{0x81, 0x91, 0x01, 0x01}, &any))
}

// What passes the check has the length that the decoder finds, and neither of them panics.
func FuzzFormat(f *testing.F) {
	b, err := Format{}.Append(nil, sample{Name: "name", Tags: map[string]string{"a": "b"}, Inner: []inner{{Raw: []byte{1}}}, Any: 1.5})
	require.NoError(f, err)
	f.Add(b)
	for _, in := range []string{"c1", "ddffffffff", "81a1610a", "d7ff0000000000000000", "c70cff000000000000000000000000", "9191c0"} {
		b, err := hex.DecodeString(in)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var any any
		loose := Format{}.Decode(b, &any)
		var s sample
		_ = Format{}.Decode(b, &s)
		_ = Format{Arrays: true}.Decode(b, &s)
		if check(b) != nil {
			return
		}
		if loose == nil {
			again, err := msgpack.Marshal(any)
			if err == nil {
				require.NoError(t, check(again))
			}
		}
	})
}
