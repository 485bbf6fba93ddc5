package handler

import (
	"encoding/binary"
	"sync"

	"github.com/ratmom/ratmom/config"
)

// wireLog is the conversation of one transfer: it masks its secrets and keeps the last
// of it for errors.
type wireLog struct {
	to   func(config.WireEvent)
	talk *Conversation

	mu   sync.Mutex
	mask config.WireMasker // remembers where a record ended within a secret
	tail []byte
}

// wireTail is how much of the conversation an error carries, in bytes.
const wireTail = 8 * 1024

// add takes records of libcurl's debug callback: kind uint32, size uint32, bytes.
func (l *wireLog) add(raw []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var events []config.WireEvent
	for len(raw) >= 8 {
		kind := binary.NativeEndian.Uint32(raw)
		n := binary.NativeEndian.Uint32(raw[4:])
		raw = raw[8:]
		if uint64(n) > uint64(len(raw)) {
			break
		}
		e := l.mask.Event(config.WireKind(kind), raw[:n])
		raw = raw[n:]
		l.tail = append(l.tail, e.String()...)
		events = append(events, e)
	}
	if over := len(l.tail) - wireTail; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
	if l.to != nil {
		l.talk.add(l.to, events)
	}
}

// Remark adds a line of ours to the conversation, if it is listened to.
func (h *Handler) Remark(text string) {
	l := h.log
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := config.NewWireEvent(config.WireInfo, []byte(text+"\n"))
	l.tail = append(l.tail, e.String()...)
	if l.to != nil {
		l.talk.add(l.to, []config.WireEvent{e})
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
