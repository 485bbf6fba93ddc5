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

// Dedupe has a single-request handler remember its last n answers to requests with an
// [IdempotencyKey], each for so long. A repeated request gets the answer of the first,
// and waits for it if need be. Remembered are results up to 64 KiB, and errors that the
// handler returned of its own accord; a request that was cancelled or lost on its way is executed again.
func Dedupe(n int, ttl time.Duration) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.dedupe, o.dedupeFor = n, ttl })
}

// maxRemembered is how long a result may be to be remembered.
const maxRemembered = 64 << 10

// memory is what a handler remembers.
type memory struct {
	n   int
	ttl time.Duration

	mu    sync.Mutex
	known map[memoryKey]*remembered
	order []*remembered // by age
}

type memoryKey struct {
	peer string
	key  IdempotencyKey
}

// remembered is a request that runs, or has run.
type remembered struct {
	key     memoryKey
	until   int64 // 0 while it runs
	result  []byte
	err     error
	waiting []*incoming // the same again
}

func newMemory(n int, ttl time.Duration) *memory {
	return &memory{n: n, ttl: ttl, known: make(map[memoryKey]*remembered)}
}

// begin returns what is known of a request, if it is done; or has it wait for that. If
// neither, it is the first, and e is to be given to end. e is nil if there is no room to remember it.
func (m *memory) begin(in *incoming, key IdempotencyKey, now int64) (e *remembered, done, waits bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := memoryKey{in.s.c.name, key}
	if e := m.known[k]; e != nil {
		switch {
		case e.until == 0:
			in.waitsFor = e
			e.waiting = append(e.waiting, in)
			return nil, false, true
		case now < e.until:
			return e, true, false
		}
		m.drop(e)
	}
	for i := 0; len(m.known) >= m.n; i++ {
		if i == len(m.order) {
			return nil, false, false
		}
		if old := m.order[i]; old.until != 0 {
			m.drop(old)
			i--
		}
	}
	e = &remembered{key: k}
	m.known[k] = e
	m.order = append(m.order, e)
	return e, false, false
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
		m.drop(e)
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

func (m *memory) drop(e *remembered) {
	delete(m.known, e.key)
	for i, x := range m.order {
		if x == e {
			m.order = append(m.order[:i], m.order[i+1:]...)
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
