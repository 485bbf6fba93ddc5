package grid

import (
	"crypto/rand"
	"sync"
	"time"
)

// IdempotencyKey names a request for handlers with [Dedupe]: requests of one peer
// with the same key are one request. It is an option of a call.
type IdempotencyKey [16]byte

// NewIdempotencyKey draws one at random.
func NewIdempotencyKey() (k IdempotencyKey) {
	_, _ = rand.Read(k[:])
	return k
}

func (k IdempotencyKey) applyCall(o *callOptions) { o.key, o.hasKey = k, true }

// Dedupe has a single-request handler remember its last n answers to each peer, to requests with an
// [IdempotencyKey], each for so long. A repeated request gets the answer of the first,
// and waits for it if need be. Remembered are results up to 64 KiB, and errors that the
// handler returned of its own accord; a request that was cancelled or lost on its way is executed again.
func Dedupe(n int, ttl time.Duration) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.dedupe, o.dedupeFor = n, ttl })
}

// maxRemembered is how long a result may be to be remembered.
const maxRemembered = 64 << 10

// memory is what a handler remembers, of each peer by itself: none sees the answers to another, nor has them
// forgotten.
type memory struct {
	n   int // of one peer
	ttl time.Duration

	mu sync.Mutex
	of map[string]*memoryOf
}

// memoryOf is what is remembered of one peer.
type memoryOf struct {
	known map[IdempotencyKey]*remembered
	order []*remembered // by age
}

// remembered is a request that runs, or has run.
type remembered struct {
	in      *memoryOf
	key     IdempotencyKey
	until   int64 // 0 while it runs
	result  []byte
	err     error
	waiting []*incoming // the same again
}

func newMemory(n int, ttl time.Duration) *memory {
	return &memory{n: n, ttl: ttl, of: make(map[string]*memoryOf)}
}

// begin returns what is known of a request, if it is done; or has it wait for that. If
// neither, it is the first, and e is to be given to end. e is nil if there is no room to remember it.
func (m *memory) begin(in *incoming, key IdempotencyKey, now int64) (e *remembered, done, waits bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if in.s.m.Connection(in.s.c.name) != in.s.c {
		return nil, false, false // the peer was removed
	}
	p := m.of[in.s.c.name]
	if p == nil {
		p = &memoryOf{known: make(map[IdempotencyKey]*remembered)}
		m.of[in.s.c.name] = p
	}
	if e := p.known[key]; e != nil {
		switch {
		case e.until == 0:
			in.waitsFor = e
			e.waiting = append(e.waiting, in)
			return nil, false, true
		case now < e.until:
			return e, true, false
		}
		e.drop()
	}
	for i := 0; len(p.known) >= m.n; i++ {
		if i == len(p.order) {
			return nil, false, false
		}
		if old := p.order[i]; old.until != 0 {
			old.drop()
			i--
		}
	}
	e = &remembered{in: p, key: key}
	p.known[key] = e
	p.order = append(p.order, e)
	return e, false, false
}

// forgetPeer forgets what is known of a peer that was removed.
func (m *memory) forgetPeer(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, name)
}

// end notes the outcome of the first, and returns those that wait for it. keep is false if it
// is not to be remembered.
func (m *memory) end(e *remembered, result []byte, err error, keep bool, now int64) (waiting []*incoming) {
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting, e.waiting = e.waiting, nil
	for _, in := range waiting {
		in.waitsFor = nil
	}
	if !keep {
		e.drop()
		return waiting
	}
	e.result, e.err, e.until = append([]byte(nil), result...), err, later(now, m.ttl)
	return waiting
}

// forget has a request wait no more. It reports whether it did.
func (m *memory) forget(in *incoming) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := in.waitsFor
	if e == nil {
		return false
	}
	in.waitsFor = nil
	for i, x := range e.waiting {
		if x == in {
			last := len(e.waiting) - 1
			copy(e.waiting[i:], e.waiting[i+1:])
			e.waiting[last] = nil
			e.waiting = e.waiting[:last]
			break
		}
	}
	return true
}

func (e *remembered) drop() {
	p := e.in
	delete(p.known, e.key)
	for i, x := range p.order {
		if x == e {
			p.order = append(p.order[:i], p.order[i+1:]...)
			return
		}
	}
}

// remember notes the outcome of a request that others may repeat, and goes on with those that do.
func (in *incoming) remember(result []byte, err error, executed bool) {
	e := in.first
	if e == nil {
		return
	}
	in.first = nil
	keep := executed && len(result) <= maxRemembered
	if err != nil {
		code, _ := failureOf(err)
		keep = keep && code == Application
	}
	for _, again := range in.h.memory.end(e, result, err, keep, in.s.clock.now()) {
		if keep {
			again.known = e
			again.start()
			continue
		}
		if code, text := again.place(in.h); code != 0 {
			again.refuse(code, text)
			again.discard()
		}
	}
}
