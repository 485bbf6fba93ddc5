package grid

import (
	"crypto/rand"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/sched"
)

// transport carries batches. One goroutine reads while another writes.
type transport interface {
	Next() (n int, err error)
	Read(p []byte) (int, error)
	WriteOver(parts net.Buffers) error // which it may overwrite, if Masks
	Masks() bool
	Handle(ping, pong func(payload []byte))
	WritePong(payload []byte) error
	WriteClose(code int, reason string) error
	Close() error
}

// session is one connection between two servers, from its handshake to its
// end. It owns all that runs on it, and ends all of it, once and with one cause.
// Nothing of it reaches the next session.
type session struct {
	m        *Manager
	c        *Connection
	conn     transport
	clock    clock
	dialed   bool // by this side
	peer     params
	instance instance // the peer's
	sum      bool     // batches end with a checksum
	since    int64

	mu       sync.Mutex
	q        sched.Queue
	window   sched.Window
	mark     sched.Mark
	notes    notes
	idle     bool // the writer sleeps
	wake     chan struct{}
	room     chan struct{} // closed when there is room for small messages again
	cause    *Error        // why it ended
	dropped  bool          // and nothing is in q any more
	refuse   bool          // new requests of this side are refused: one of the two is going away
	farewell bool          // the peer has said that it issues no more
	said     bool          // the peer was told that this side issues no more
	closing  bool          // the writer closes when all is sent
	closed   bool          // a close frame was sent, or is about to be
	slots    slots
	calls    quota
	streams  quota
	leaving  atomic.Bool   // new requests of the peer are refused: this side is going away
	nothing  chan struct{} // closed when nothing runs any more; made by those who wait
	served   table[incoming]
	issued   table[request]
	servedN  [2]atomic.Int32 // calls and streams of the peer
	large    atomic.Int64    // bytes of large messages held
	ahead    atomic.Int64    // bytes of messages that were counted as taken before they were here
	finished chan struct{}   // closed when all of it has ended
	gone     chan struct{}   // closed when the session ends

	heard    atomic.Int64 // when something was read last
	writing  atomic.Int64 // since when a write lasts, 0 if none does
	rtt      atomic.Int64
	bulkAt   uint64 // Sent at the last look of the watchdog
	closedAt int64  // when close was called, under mu
	pings    pings  // under mu
	dog      *time.Timer
	progress progress // the watchdog's

	reader readerState
	stats  traffic
}

// notes is what the session itself has to say in control frames.
type notes struct {
	ping, pong bool
	pingNonce  uint64
	pongNonce  uint64
	credit     bool
	echo       []byte // of the last WebSocket ping, nil if it was answered
	close      *closeAnswer
}

// closeAnswer is the close frame that answers one, or a wrong frame, and why the session ends with it.
type closeAnswer struct {
	code int
	why  error
}

func newSession(c *Connection, conn transport, peer params, inst instance, dialed, sum bool) *session {
	s := &session{
		m: c.m, c: c, conn: conn, clock: c.m.clock, dialed: dialed, peer: peer, instance: inst, sum: sum,
		since: c.m.clock.now(),
		wake:  make(chan struct{}, 1), finished: make(chan struct{}), gone: make(chan struct{}),
	}
	if !dialed {
		s.slots.side = 1
	}
	s.calls.limit = min(int(peer.calls), maxSlots/2)
	s.streams.limit = min(int(peer.streams), maxSlots/2)
	s.mark.Of = (*sessionControl)(s)
	s.window = sched.Window{Max: int64(c.m.limits.BulkWindow)}
	s.q.BulkLimit = s.window.Limit()
	s.q.KeepPayloads = !conn.Masks()
	s.heard.Store(s.since)
	conn.Handle(s.onWebSocketPing, nil)
	return s
}

// run starts the session. It ends by itself, or by end.
func (s *session) run() {
	s.mu.Lock()
	s.ping()
	s.dog = time.AfterFunc(s.m.timing.look(), s.watch)
	s.mu.Unlock()
	s.m.tasks.Add(1) // by a task, so that Shutdown still waits
	var both sync.WaitGroup
	both.Add(1)
	go func() {
		defer both.Done()
		s.write()
	}()
	go func() {
		defer func() {
			s.end(errExit) // unless it has ended
			both.Wait()
			s.clear()
			close(s.finished)
			s.m.tasks.Done()
		}()
		s.read()
	}()
}

// wakeWriter is called under the lock, after something was queued, and says
// whether kick is to be called after it.
func (s *session) wakeWriter() bool {
	if !s.idle {
		return false
	}
	s.idle = false
	return true
}

func (s *session) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// ping has a ping sent. It is called under the lock.
func (s *session) ping() {
	var nonce [8]byte
	_, _ = rand.Read(nonce[:])
	s.notes.ping, s.notes.pingNonce = true, s.nonce(nonce)
	s.q.Set(&s.mark)
}

func (s *session) nonce(b [8]byte) (n uint64) {
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return n
}

// full reports whether those who send small messages have to wait. It is called under the lock.
func (s *session) full() bool { return s.q.Bytes() >= s.m.limits.SendQueue }

// waitRoom waits until there is room in the queue of small messages, and reports whether there is
// and the session lives. It is called under the lock, which it gives up meanwhile.
func (s *session) waitRoom(stop <-chan struct{}) bool {
	for s.cause == nil && s.full() {
		ch := s.roomChannel()
		s.mu.Unlock()
		select {
		case <-ch:
			s.mu.Lock()
		case <-stop:
			s.mu.Lock()
			return false
		}
	}
	return s.cause == nil
}

// roomChannel is closed when it is worth a look whether there is room. It is called under the lock.
func (s *session) roomChannel() <-chan struct{} {
	if s.room == nil {
		s.room = make(chan struct{})
	}
	s.stats.queueStalls.Add(1)
	return s.room
}

// goaway tells the peer, once, that no more requests come from here, and why. It is said behind the requests
// that are queued: before them, the peer could close without having answered them.
func (s *session) goaway(code Code, reason string) {
	s.mu.Lock()
	if !s.said && s.cause == nil {
		f := frame.Failure{Message: reason}
		say := func() {
			s.q.Put(frame.Header{Type: frame.Goaway, Flags: frame.Err, Code: uint16(code)}, nil, f.Append(nil), 0, s.clock.now())
		}
		if s.q.Bulk() {
			// When it is the turn of what is queued now, all the others have had theirs.
			s.q.Add(new(sched.Flow), &sched.Message{Header: frame.Header{Type: frame.Nop}, Taken: say})
		} else {
			say()
		}
	}
	s.said, s.refuse = true, true
	s.unlockAndWake()
}

// busy reports whether anything runs or may still come. It is called under the lock.
func (s *session) busy() bool {
	return !s.farewell || s.calls.used > 0 || s.streams.used > 0 || s.servedN[0].Load() > 0 || s.servedN[1].Load() > 0
}

// quiet returns a channel that is closed when nothing runs.
func (s *session) quiet() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nothing == nil {
		s.nothing = make(chan struct{})
		if s.cause != nil {
			close(s.nothing)
		}
	}
	s.checkQuiet()
	return s.nothing
}

// checkQuiet is called under the lock whenever something has ended.
func (s *session) checkQuiet() {
	if s.nothing == nil || s.cause != nil || s.busy() {
		return
	}
	select {
	case <-s.nothing:
	default:
		close(s.nothing)
	}
}

// close ends the session once all that is queued was sent.
func (s *session) close() {
	s.mu.Lock()
	s.closing = true
	s.closedAt = s.clock.now()
	wake := s.wakeWriter()
	s.mu.Unlock()
	if wake {
		s.kick()
	}
}
