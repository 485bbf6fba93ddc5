package gridtest

import (
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// pipe is one direction of a connection.
type pipe struct {
	link *link
	// back is the other direction.
	back *pipe
	// passing says that this direction delivers.
	passing atomic.Bool

	mu     sync.Mutex
	change sync.Cond
	faults Faults
	random *rand.Rand

	// data are the bytes from read to sent, but for those that are lost.
	data ring
	// The stream's offsets: what was written, has arrived, and was read.
	sent, arrived, read int64
	// flying are the pieces between arrived and sent.
	flying []piece
	// due is when the last of them arrives, so that none overtakes another.
	due time.Time
	// end is io.EOF or an error once the writing end has said so; it arrives at endDue.
	end    error
	endDue time.Time
	// dark is set for good once bytes were lost.
	dark bool

	writerGone, readerGone bool
	// failure ends writes at once, and reads after what has arrived.
	failure error

	wake                  *time.Timer
	readLimit, writeLimit limit
}

// piece is what arrives at once.
type piece struct {
	end int64
	due time.Time
}

func newPipe(l *link, faults Faults, random *rand.Rand) *pipe {
	p := &pipe{link: l, faults: faults, random: random}
	p.change.L = &p.mu
	p.dark = faults.Path.lossy()
	p.passing.Store(faults.Path == Open)
	return p
}

// set changes the faults.
func (p *pipe) set(f Faults) {
	p.mu.Lock()
	p.land(time.Now())
	p.faults = f
	p.dark = p.dark || f.Path.lossy()
	p.passing.Store(f.Path == Open && !p.dark)
	if p.dark {
		p.forget()
	}
	p.change.Broadcast()
	p.mu.Unlock()
	// A writer may learn now that its reader is gone.
	p.back.changed()
}

// forget loses what is on the way, with mu held; what has arrived can still be read.
func (p *pipe) forget() {
	p.flying = nil
	p.data.truncate(int(p.arrived - p.read))
}

// land lets arrive what is due, with mu held.
func (p *pipe) land(now time.Time) {
	if !p.passing.Load() {
		return
	}
	n := 0
	for n < len(p.flying) && !p.flying[n].due.After(now) {
		p.arrived = p.flying[n].end
		n++
	}
	p.flying = p.flying[n:]
	if len(p.flying) == 0 {
		p.flying = nil
	}
}

// ended gives the end of the stream if it has arrived, with mu held.
func (p *pipe) ended(now time.Time) error {
	if !p.passing.Load() || p.end == nil || p.endDue.After(now) {
		return nil
	}
	return p.end
}

// sleep waits for a change or the next arrival, with mu held.
func (p *pipe) sleep(now time.Time) {
	var next time.Time
	switch {
	case !p.passing.Load():
	case len(p.flying) > 0:
		next = p.flying[0].due
	case p.end != nil && p.endDue.After(now):
		next = p.endDue
	}
	if !next.IsZero() {
		if p.wake == nil {
			p.wake = time.AfterFunc(next.Sub(now), p.changed)
		} else {
			p.wake.Reset(next.Sub(now))
		}
	}
	p.change.Wait()
}

func (p *pipe) changed() {
	p.mu.Lock()
	p.change.Broadcast()
	p.mu.Unlock()
}

func (p *pipe) readSome(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var now time.Time
		if len(p.flying) > 0 || p.end != nil {
			now = time.Now()
			p.land(now)
		}
		switch {
		case p.readerGone:
			return 0, net.ErrClosed
		case p.readLimit.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		}
		if there := int(p.arrived - p.read); there > 0 {
			n := min(len(b), there)
			if p.faults.ShortReads > 0 {
				n = min(n, 1+p.random.IntN(p.faults.ShortReads))
			}
			p.data.take(b[:n])
			p.read += int64(n)
			p.change.Broadcast()
			return n, nil
		}
		if p.failure != nil {
			return 0, p.failure
		}
		if len(p.flying) == 0 {
			if err := p.ended(now); err != nil {
				return 0, err
			}
		}
		p.sleep(now)
	}
}

// write sends all of b. It returns errReset if the connection is to be reset at this byte.
func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := 0
	for {
		reset := p.faults.ResetAt > 0 && p.sent >= p.faults.ResetAt
		switch {
		case done > 0 && done == len(b) && !reset:
			return done, nil
		case p.writerGone:
			return done, net.ErrClosed
		case p.failure != nil:
			return done, p.failure
		case p.end != nil:
			return done, syscall.EPIPE
		case p.writeLimit.passed():
			return done, os.ErrDeadlineExceeded
		case p.readerGone && p.passing.Load() && p.back.passing.Load():
			return done, syscall.ECONNRESET
		case reset:
			return done, errReset
		case done == len(b):
			return done, nil
		}
		room := p.faults.buffer() - int(p.sent-p.read)
		if p.faults.Path == Vanishing {
			room = len(b)
		}
		if room <= 0 {
			p.change.Wait()
			continue
		}
		n := min(len(b)-done, room, p.faults.largest())
		if p.faults.Chop > 0 {
			n = min(n, 1+p.random.IntN(p.faults.Chop))
		}
		if at := p.faults.ResetAt; at > 0 {
			n = int(min(int64(n), at-p.sent))
		}
		p.put(b[done : done+n])
		done += n
	}
}

// largest is the most that travels as one piece: with a bandwidth, a bit of it.
func (f Faults) largest() int {
	if f.Bandwidth > 0 {
		return 4 << 10
	}
	return 1 << 30
}

// put sends one piece, with mu held.
func (p *pipe) put(b []byte) {
	p.link.traffic.Add(int64(len(b)))
	from := p.sent
	p.sent += int64(len(b))
	if p.dark || p.readerGone {
		return
	}
	p.data.put(b)
	if at := p.faults.CorruptAt; at > from && at <= p.sent {
		p.data.flip(int(at-1-p.read), byte(1)<<p.random.IntN(8))
	}
	if f := p.faults; f.Path == Open && f.Latency <= 0 && f.Jitter <= 0 && f.Bandwidth <= 0 && len(p.flying) == 0 {
		p.arrived = p.sent
	} else {
		p.flying = append(p.flying, piece{end: p.sent, due: p.arrival(len(b))})
	}
	p.change.Broadcast()
}

// arrival says when n bytes written now get there, with mu held.
func (p *pipe) arrival(n int) time.Time {
	at := p.link.depart(n, p.faults.Bandwidth).Add(p.faults.Latency)
	if p.faults.Jitter > 0 {
		at = at.Add(time.Duration(p.random.Int64N(int64(p.faults.Jitter))))
	}
	if at.Before(p.due) {
		at = p.due
	}
	p.due = at
	return at
}

// finish sends the end of the stream: io.EOF or an error. The first one counts, unless
// an error follows io.EOF.
func (p *pipe) finish(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil || p.end == io.EOF && err != io.EOF {
		p.end, p.endDue = err, p.arrival(0)
	}
	p.change.Broadcast()
}

// fail ends the direction for both ends at once.
func (p *pipe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = err
		p.land(time.Now())
		p.forget()
	}
	p.change.Broadcast()
}

// blackout makes the direction lossy for good.
func (p *pipe) blackout() {
	p.mu.Lock()
	p.land(time.Now())
	p.dark = true
	p.passing.Store(false)
	p.forget()
	p.change.Broadcast()
	p.mu.Unlock()
}

// closeReader is the reading end's close. It says if bytes were there that nobody has read.
func (p *pipe) closeReader() (unread bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.land(time.Now())
	unread = p.arrived > p.read
	p.readerGone = true
	p.readLimit.stop()
	if p.wake != nil {
		p.wake.Stop()
	}
	// Nobody will read it.
	p.data, p.flying, p.read, p.arrived = ring{}, nil, p.sent, p.sent
	p.change.Broadcast()
	return unread
}

// closeWriter is the writing end's close.
func (p *pipe) closeWriter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writerGone = true
	p.writeLimit.stop()
	p.change.Broadcast()
}
