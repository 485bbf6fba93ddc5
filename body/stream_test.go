package body

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// silent is a feeder that only counts what it is told.
type silent struct{ resumed, abandoned, buffered int }

func (f *silent) Consumed(n int) int { f.buffered -= n; return f.buffered }
func (f *silent) Resume()            { f.resumed++ }
func (f *silent) Abandon()           { f.abandoned++ }

func TestStream_drops_what_it_holds_when_it_fails_and_keeps_the_error(t *testing.T) {
	cut := errors.New("cut")
	s := NewWhole([]byte("late"), nil)
	s.Fail(cut)
	p := make([]byte, 8)
	for range 3 {
		n, err := s.Read(p)
		assert.Zero(t, n)
		assert.ErrorIs(t, err, cut)
	}
	require.NoError(t, s.Close())
	_, err := s.Read(p)
	assert.Error(t, err)
}

func TestStream_tells_its_transfer_once_that_the_rest_is_not_wanted(t *testing.T) {
	f := new(silent)
	s := NewStream(f, 10)
	for range 3 {
		require.NoError(t, s.Close())
	}
	assert.Equal(t, 1, f.abandoned)

	f = new(silent)
	s = NewStream(f, 10)
	s.Finish(io.EOF)
	require.NoError(t, s.Close())
	assert.Zero(t, f.abandoned, "after the end there is nothing to give up")
}

func TestStream_with_the_smallest_mark_is_resumed_when_it_is_empty(t *testing.T) {
	f := new(silent)
	s := NewStream(f, 0)
	assert.True(t, s.Paused(), "nothing is buffered: go on")
	f.buffered = 1
	assert.False(t, s.Paused())
	s.mu.Lock()
	resume := s.consumed(1)
	s.mu.Unlock()
	assert.NotNil(t, resume)
}

func TestStream_that_was_closed_or_has_failed_is_not_resumed(t *testing.T) {
	for name, end := range map[string]func(*Stream){
		"closed":   func(s *Stream) { _ = s.Close() },
		"failed":   func(s *Stream) { s.Fail(errors.New("cut")) },
		"finished": func(s *Stream) { s.Finish(io.EOF) },
	} {
		s := NewStream(new(silent), 10)
		end(s)
		assert.False(t, s.Paused(), name)
	}
}

func TestStream_gives_a_small_body_as_it_is_once_it_has_ended_well(t *testing.T) {
	s := new(Stream)
	ended := 0
	s.OnEOF(func() { ended++ })
	s.BeginWhole([]byte("small"), nil)
	_, ok := s.TakeWhole()
	require.False(t, ok, "it may not end well")
	s.Finish(io.EOF)
	p := make([]byte, 2)
	_, _ = s.Read(p)
	rest, ok := s.TakeWhole()
	require.True(t, ok)
	assert.Equal(t, "all", string(rest))
	assert.Equal(t, 1, ended)
	_, err := s.Read(p)
	require.Equal(t, io.EOF, err)

	s = NewWhole([]byte("small"), io.ErrUnexpectedEOF)
	_, ok = s.TakeWhole()
	require.False(t, ok)
	s = NewWhole(nil, io.EOF)
	_, ok = s.TakeWhole()
	require.False(t, ok)
	s = NewWhole([]byte("small"), io.EOF)
	require.NoError(t, s.Close())
	_, ok = s.TakeWhole()
	require.False(t, ok)
}
