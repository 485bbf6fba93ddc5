package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lines is a writer that remembers its calls.
type lines struct {
	calls []string
	err   error
}

func (l *lines) Write(p []byte) (int, error) {
	l.calls = append(l.calls, string(p))
	return len(p), l.err
}

func debugTo(t *testing.T, w *lines) *RequestConfig {
	t.Helper()
	c, err := NewClient(Debug(w))
	require.NoError(t, err)
	return c.Defaults()
}

func TestDebug_writes_whole_lines_with_the_number_of_their_transfer(t *testing.T) {
	w := &lines{}
	r := debugTo(t, w)
	second, first := r.WireLog(), r.WireLog()
	first(WireEvent{WireInfo, []byte("hello\n")})
	first(WireEvent{WireHeaderSent, []byte("GET / HTTP/1.1\r\nHos")})
	second(WireEvent{WireInfo, []byte("no end")})
	second(WireEvent{WireHeaderReceived, []byte("HT")})
	first(WireEvent{WireHeaderSent, []byte("t: a\r\n\r\n")})
	second(WireEvent{WireBodyReceived, []byte("12345")})
	second(WireEvent{WireHeaderReceived, []byte("TP/2 200\r\n")})
	second(WireEvent{WireTLSSent, nil})
	second(WireEvent{99, []byte("x\n")})
	assert.Equal(t, []string{
		"[1] * hello\n", "[1] > GET / HTTP/1.1\n", "[2] * no end\n", "[1] > Host: a\n[1] > \n", "[2] { [5 bytes of body]\n", "[2] < HTTP/2 200\n",
	}, w.calls)
}

func TestDebug_bounds_a_line_that_does_not_end(t *testing.T) {
	w := &lines{}
	f := debugTo(t, w).WireLog()
	for range 100 {
		f(WireEvent{WireHeaderReceived, []byte(strings.Repeat("x", 1024))})
	}
	require.Len(t, w.calls, 1)
	assert.Less(t, len(w.calls[0]), 70<<10)
}

func TestDebug_writes_no_more_after_an_error(t *testing.T) {
	w := &lines{err: errors.New("full")}
	f := debugTo(t, w).WireLog()
	f(WireEvent{WireInfo, []byte("a\n")})
	f(WireEvent{WireInfo, []byte("b\n")})
	assert.Equal(t, []string{"[1] * a\n"}, w.calls)
}

func TestDebug_and_WireLog_take_each_others_place(t *testing.T) {
	w := &lines{}
	var events int
	log := WireLog(func(WireEvent) { events++ })
	c, err := NewClient(Debug(w), log)
	require.NoError(t, err)
	c.Defaults().WireLog()(WireEvent{WireInfo, []byte("a\n")})
	assert.Empty(t, w.calls)
	assert.Equal(t, 1, events)
	r, err := c.Request(Debug(w))
	require.NoError(t, err)
	r.WireLog()(WireEvent{WireInfo, []byte("a\n")})
	assert.Len(t, w.calls, 1)
	r, err = c.Request(Debug(nil))
	require.NoError(t, err)
	assert.Nil(t, r.WireLog())
}
