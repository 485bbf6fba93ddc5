package grid

import "sync/atomic"

const (
	slotBits = 15
	maxSlots = 1 << slotBits
	pageSize = 256
)

// table finds what belongs to a slot. Reading it takes no lock. Its pages are
// made when they are needed.
type table[T any] struct {
	pages [maxSlots / pageSize]atomic.Pointer[[pageSize]atomic.Pointer[T]]
}

func (t *table[T]) get(slot uint32) *T {
	page := t.pages[slot/pageSize].Load()
	if page == nil {
		return nil
	}
	return page[slot%pageSize].Load()
}

// set is called by one goroutine at a time, or with nil.
func (t *table[T]) set(slot uint32, v *T) {
	page := t.pages[slot/pageSize].Load()
	if page == nil {
		if v == nil {
			return
		}
		page = new([pageSize]atomic.Pointer[T])
		t.pages[slot/pageSize].Store(page)
	}
	page[slot%pageSize].Store(v)
}

// remove takes v out, and reports whether it was there.
func (t *table[T]) remove(slot uint32, v *T) bool {
	page := t.pages[slot/pageSize].Load()
	return page != nil && page[slot%pageSize].CompareAndSwap(v, nil)
}

// all calls f for what is there.
func (t *table[T]) all(f func(*T)) {
	for i := range t.pages {
		page := t.pages[i].Load()
		if page == nil {
			continue
		}
		for j := range page {
			if v := page[j].Load(); v != nil {
				f(v)
			}
		}
	}
}

// An id has the side that issued it in its lowest bit, then the slot, then a
// generation that tells apart those who have the slot one after the other.
func makeID(generation uint16, slot uint32, side uint32) uint32 {
	return uint32(generation)<<(slotBits+1) | slot<<1 | side
}

func slotOf(id uint32) uint32 { return id >> 1 & (maxSlots - 1) }

// slots gives out slots, those that were given back last first. It is used
// under the session's lock.
type slots struct {
	side        uint32
	next        uint32
	free        []uint16
	generations []uint16
}

// take returns the id of a slot that is free; its owner bounds how many are.
func (s *slots) take() uint32 {
	var slot uint32
	if n := len(s.free); n > 0 {
		slot = uint32(s.free[n-1])
		s.free = s.free[:n-1]
	} else {
		slot = s.next
		s.next++
		s.generations = append(s.generations, 0)
	}
	return makeID(s.generations[slot], slot, s.side)
}

func (s *slots) put(id uint32) {
	slot := slotOf(id)
	s.generations[slot]++
	s.free = append(s.free, uint16(slot))
}
