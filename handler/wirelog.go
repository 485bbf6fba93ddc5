package handler

import (
	"encoding/binary"
	"sync"

	"github.com/ratmom/ratmom/config"
)

// wireLog keeps the last of the conversation for errors, and hands it to the
// user's function from a goroutine of its own, which lives while there is
// something to hand over.
type wireLog struct {
	mu      sync.Mutex
	mask    config.WireMasker // remembers where a record ended within a secret
	tail    []byte
	queue   []config.WireEvent
	queued  int // bytes in queue
	running bool
}

// wireTail is how much of the conversation an error carries, in bytes.
const wireTail = 8 * 1024

// wireQueue is how much of the conversation waits for a slow function before
// bodies are left out, in bytes.
const wireQueue = 4 * 1024 * 1024

// add takes records of libcurl's debug callback: kind uint32, size uint32, bytes.
// group, if there is one, counts the goroutines that hand them over.
func (l *wireLog) add(raw []byte, to func(config.WireEvent), group *sync.WaitGroup) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(raw) >= 8 {
		kind := binary.NativeEndian.Uint32(raw)
		n := binary.NativeEndian.Uint32(raw[4:])
		raw = raw[8:]
		if uint64(n) > uint64(len(raw)) {
			break
		}
		e := l.mask.Event(config.WireKind(kind), raw[:n])
		raw = raw[n:]
		if l.queued > wireQueue && e.Kind > config.WireHeaderSent {
			continue // its reader is slow: bodies are left out until it has caught up
		}
		l.queued += len(e.Data)
		l.tail = append(l.tail, e.String()...)
		l.queue = append(l.queue, e)
	}
	if over := len(l.tail) - wireTail; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
	if to != nil && !l.running && len(l.queue) > 0 {
		l.running = true
		if group == nil {
			go l.deliver(to)
		} else {
			group.Go(func() { l.deliver(to) })
		}
	}
}

func (l *wireLog) deliver(to func(config.WireEvent)) {
	for {
		l.mu.Lock()
		q := l.queue
		l.queue, l.queued = nil, 0
		if len(q) == 0 {
			l.running = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		for _, e := range q {
			to(e)
		}
	}
}

// last is a copy of what an error carries.
func (l *wireLog) last() []byte {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]byte(nil), l.tail...)
}
