package body

import (
	"io"
	"net/http"
	"sync"

	"github.com/ratmom/ratmom/cgo"
)

// Feeder is where a Stream's bytes come from: the running transfer.
type Feeder interface {
	// Consumed tells that n bytes were read and returns what is still buffered.
	// It is not called after Finish.
	Consumed(n int) int
	// Resume asks for more after a pause.
	Resume()
	// Abandon tells that the rest is not wanted.
	Abandon()
}

// Stream is the body of a response. The agent pushes chunks and finishes it; one
// reader at a time takes the bytes. The bytes stay in C memory until they are
// read, and the transfer is paused while the high-water mark is reached.
type Stream struct {
	mu     sync.Mutex
	wake   sync.Cond
	chunks cgo.Reader
	whole  []byte // a small body that came in one piece
	feeder Feeder // nil when the transfer has ended
	low    int
	paused bool
	closed bool
	err    error // sticky; io.EOF after a good end
	onEOF  func()
}

// NewStream returns a stream whose transfer is resumed when fewer than low bytes,
// at least 1, are buffered.
func NewStream(f Feeder, low int) *Stream {
	s := new(Stream)
	s.Begin(f, low)
	return s
}

// Begin makes the zero Stream what NewStream returns.
func (s *Stream) Begin(f Feeder, low int) {
	s.feeder, s.low = f, max(low, 1) // 0 is never undercut
	s.wake.L = &s.mu
}

// NewWhole returns a stream that has ended already, with err (io.EOF for a good
// end) after the bytes of p.
func NewWhole(p []byte, err error) *Stream {
	s := new(Stream)
	s.BeginWhole(p, err)
	return s
}

// BeginWhole makes the zero Stream what NewWhole returns.
func (s *Stream) BeginWhole(p []byte, err error) {
	s.whole, s.err = p, err
	s.wake.L = &s.mu
}

// OnEOF sets what the reader runs before it is told of a good end. Call it before
// the stream is handed to its reader.
func (s *Stream) OnEOF(f func()) { s.onEOF = f }

// Push adds bytes. Those that come after Fail are dropped: its error is sticky.
// Agent only.
func (s *Stream) Push(c cgo.Chunks) {
	s.mu.Lock()
	if s.closed || s.err != nil {
		s.mu.Unlock()
		r := cgo.Reader{Chunks: c}
		r.Free()
		return
	}
	s.chunks.Append(c)
	s.mu.Unlock()
	s.wake.Signal()
}

// Paused tells that the transfer has paused. It reports whether the reader has
// made room meanwhile, so that the agent must resume at once. A stream that has
// been closed or has failed is left paused: the word of it is on its way to the
// agent, and to resume until it arrives would never end. Agent only.
func (s *Stream) Paused() (resume bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Not what is in chunks: WriteTo holds a piece outside while its writer is
	// busy, and to resume before it has been consumed only pauses again.
	s.paused = s.closed || s.err != nil || s.feeder == nil || s.feeder.Consumed(0) >= s.low
	return !s.paused
}

// Finish ends the stream: with io.EOF, or with the error that the reader gets
// after the bytes that are there. From then on the feeder is not called. Agent
// only.
func (s *Stream) Finish(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.feeder = nil
	s.mu.Unlock()
	s.wake.Broadcast()
}

// Fail gives the reader err at once, before the transfer has ended, and drops
// what it has not read.
func (s *Stream) Fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
		s.drop()
	}
	s.mu.Unlock()
	s.wake.Broadcast()
}

func (s *Stream) drop() {
	s.chunks.Free()
	s.whole = nil
}

// Read copies what is there, or waits for it.
func (s *Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.mu.Lock()
	for {
		if s.closed {
			s.mu.Unlock()
			return 0, http.ErrBodyReadAfterClose
		}
		if len(s.whole) > 0 {
			n := copy(p, s.whole)
			s.whole = s.whole[n:]
			s.mu.Unlock()
			return n, nil
		}
		if s.chunks.Len() > 0 {
			n := s.chunks.Read(p)
			resume := s.consumed(n)
			s.mu.Unlock()
			if resume != nil {
				resume.Resume()
			}
			return n, nil
		}
		if s.err != nil {
			return 0, s.end()
		}
		s.wake.Wait()
	}
}

// TakeWhole is all that is left of a small body that came in one piece, to its good end: Read would copy it.
// It reports whether it is one; if not, nothing has happened.
func (s *Stream) TakeWhole() (p []byte, ok bool) {
	s.mu.Lock()
	if s.closed || s.err != io.EOF || s.chunks.Len() > 0 || s.whole == nil {
		s.mu.Unlock()
		return nil, false
	}
	p, s.whole = s.whole, nil
	_ = s.end()
	return p, true
}

// consumed accounts for n bytes read; it returns the feeder if it is to be
// resumed. The lock is held.
func (s *Stream) consumed(n int) Feeder {
	if s.feeder == nil {
		return nil
	}
	if left := s.feeder.Consumed(n); s.paused && left < s.low {
		s.paused = false
		return s.feeder
	}
	return nil
}

// end unlocks and returns the sticky error, after onEOF at a good end.
func (s *Stream) end() error {
	err, f := s.err, s.onEOF
	if err == io.EOF {
		s.onEOF = nil
	} else {
		f = nil
	}
	s.mu.Unlock()
	if f != nil {
		f()
	}
	return err
}

// WriteTo writes the body to w, straight from where it was received.
func (s *Stream) WriteTo(w io.Writer) (int64, error) {
	var total int64
	s.mu.Lock()
	for {
		switch {
		case s.closed:
			s.mu.Unlock()
			return total, http.ErrBodyReadAfterClose
		case len(s.whole) > 0:
			p := s.whole
			s.whole = nil
			s.mu.Unlock()
			n, err := writeAll(w, p)
			total += int64(n)
			if err != nil {
				return total, err
			}
			s.mu.Lock()
		case s.chunks.Len() > 0:
			piece := s.chunks.Next()
			s.mu.Unlock()
			n, err := writeAll(w, piece.Bytes())
			total += int64(n)
			size := len(piece.Bytes())
			piece.Free()
			s.mu.Lock()
			resume := s.consumed(size)
			if err != nil || resume != nil {
				s.mu.Unlock()
				if resume != nil {
					resume.Resume()
				}
				if err != nil {
					return total, err
				}
				s.mu.Lock()
			}
		case s.err != nil:
			if err := s.end(); err != io.EOF {
				return total, err
			}
			return total, nil
		default:
			s.wake.Wait()
		}
	}
}

func writeAll(w io.Writer, p []byte) (int, error) {
	n, err := w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// Close drops what has not been read. If the transfer still runs, it is told that
// the rest is not wanted. Close beside a running Read ends that Read.
func (s *Stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.drop()
	f := s.feeder
	if s.err != nil {
		f = nil // the end was reached or the cancel is on its way
	}
	s.mu.Unlock()
	s.wake.Broadcast()
	if f != nil {
		f.Abandon()
	}
	return nil
}

// Ready reports whether Read would not wait.
func (s *Stream) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || s.err != nil || len(s.whole) > 0 || s.chunks.Len() > 0
}

// Buffered is the number of bytes that can be read without waiting.
func (s *Stream) Buffered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.whole) + s.chunks.Len()
}

// Done reports whether the transfer behind the stream has ended.
func (s *Stream) Done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feeder == nil
}
