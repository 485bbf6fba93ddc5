package grid

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// msgpPoint has the methods that tinylib/msgp would generate for its pointer.
type msgpPoint struct{ X, Y uint32 }

func (p *msgpPoint) Msgsize() int { return 8 }

func (p *msgpPoint) MarshalMsg(b []byte) ([]byte, error) {
	if p.X == math.MaxUint32 {
		return b, errors.New("cannot be written")
	}
	b = binary.BigEndian.AppendUint32(b, p.X)
	return binary.BigEndian.AppendUint32(b, p.Y), nil
}

func (p *msgpPoint) UnmarshalMsg(b []byte) ([]byte, error) {
	if len(b) < 8 {
		return b, io.EOF
	}
	p.X, p.Y = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return b[8:], nil
}

// msgpNames has them for itself and its pointer, as generated maps and slices have.
type msgpNames []string

func (n msgpNames) Msgsize() int { return 100 }

func (n msgpNames) MarshalMsg(b []byte) ([]byte, error) {
	for _, s := range n {
		b = append(append(b, byte(len(s))), s...)
	}
	return b, nil
}

func (n *msgpNames) UnmarshalMsg(b []byte) ([]byte, error) {
	*n = (*n)[:0]
	for len(b) > 0 {
		*n = append(*n, string(b[1:1+b[0]]))
		b = b[1+b[0]:]
	}
	return b, nil
}

// marshaler has no AppendBinary.
type marshaler struct{ text string }

func (m marshaler) MarshalBinary() ([]byte, error) { return []byte(m.text), nil }

func (m *marshaler) UnmarshalBinary(b []byte) error {
	m.text = string(b)
	return nil
}

type (
	ownBytes  []byte
	ownString string
	ownEmpty  struct{}
	plain     struct{ A int }
)

// trip is v encoded and decoded, the second time into a value that was used before.
func trip[T any](t *testing.T, v T, opts ...TypedOption) {
	t.Helper()
	c, err := codecOf[T](collect(opts))
	require.NoError(t, err)
	b, err := encode(c, []byte("x"), v)
	require.NoError(t, err)
	require.Equal(t, byte('x'), b[0])
	var got T
	require.NoError(t, decode(c, b[1:], &got))
	assert.Equal(t, v, got)
	require.NoError(t, decode(c, b[1:], &got))
	clear(b)
	assert.Equal(t, v, got, "nothing of the message is kept")
}

func TestCodecs_bring_values_back(t *testing.T) {
	trip(t, msgpPoint{1, 2})
	trip(t, &msgpPoint{1, 2})
	trip(t, msgpNames{"a", "bc"})
	trip(t, &msgpNames{"a", "bc"})
	trip(t, marshaler{"text"})
	trip(t, &marshaler{"text"})
	trip(t, time.Unix(1700000000, 0).UTC())
	trip(t, []byte("bytes"))
	trip(t, []byte(nil))
	trip(t, ownBytes("bytes"))
	trip(t, "string")
	trip(t, ownString("string"))
	trip(t, struct{}{})
	trip(t, ownEmpty{})
	trip(t, plain{1}, JSON())
	trip(t, &plain{1}, JSON())
	trip(t, map[string][]int{"a": {1}}, JSON())
	trip(t, map[string][]int(nil), JSON())
}

func TestCodecs_are_chosen_in_their_order(t *testing.T) {
	o := collect([]TypedOption{JSON(), UseCodec[msgpPoint](formatCodec[msgpPoint]{jsonFormat{}})})
	point, err := codecOf[msgpPoint](o)
	require.NoError(t, err)
	assert.IsType(t, formatCodec[msgpPoint]{}, point)
	pointer, err := codecOf[*msgpPoint](o)
	require.NoError(t, err)
	assert.IsType(t, msgpCodec[*msgpPoint]{}, pointer)
	moment, err := codecOf[time.Time](o)
	require.NoError(t, err)
	assert.True(t, moment.(binaryCodec[time.Time]).appends)
	old, err := codecOf[*marshaler](o)
	require.NoError(t, err)
	assert.False(t, old.(binaryCodec[*marshaler]).appends)
	text, err := codecOf[string](o)
	require.NoError(t, err)
	assert.IsType(t, stringCodec[string]{}, text)
	_, err = codecOf[plain](collect(nil))
	assert.ErrorContains(t, err, "grid.plain has no form as a message")
}

func TestCodecs_refuse_what_they_cannot_read_or_write(t *testing.T) {
	o := collect([]TypedOption{JSON()})
	pointer, err := codecOf[*msgpPoint](o)
	require.NoError(t, err)
	_, err = encode(pointer, nil, nil)
	require.ErrorIs(t, err, errNil)
	_, err = encode(pointer, nil, &msgpPoint{X: math.MaxUint32})
	require.ErrorContains(t, err, "cannot be written")
	var got *msgpPoint
	require.ErrorContains(t, decode(pointer, make([]byte, 9), &got), "1 bytes follow the value")
	err = decode(pointer, make([]byte, 7), &got)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, err, io.EOF)

	names, err := codecOf[msgpNames](o)
	require.NoError(t, err)
	var n msgpNames
	require.ErrorContains(t, decode(names, []byte{200, 1}, &n), "panic: ")

	empty, err := codecOf[struct{}](o)
	require.NoError(t, err)
	require.ErrorContains(t, decode(empty, []byte("x"), new(struct{})), "1 bytes where none are expected")

	channel, err := codecOf[chan int](o)
	require.NoError(t, err)
	_, err = encode(channel, nil, make(chan int))
	require.Error(t, err)
}

func TestCodecs_of_pointers_allocate_nothing_when_writing(t *testing.T) {
	c, err := codecOf[*msgpPoint](collect(nil))
	require.NoError(t, err)
	b, v := make([]byte, 0, 100), &msgpPoint{1, 2}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = encode(c, b, v) }))
}
