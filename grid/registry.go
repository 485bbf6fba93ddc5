package grid

import (
	"errors"
	"fmt"
	"hash/fnv"
	"sort"
	"sync"
	"sync/atomic"
)

// registry finds handlers, without a lock.
type registry struct {
	pages     [256]atomic.Pointer[[256]atomic.Pointer[handler]]
	subroutes atomic.Pointer[map[subrouteKey]*handler]

	mu  sync.Mutex // for registering
	all []*handler
}

type subrouteKey struct {
	id   HandlerID
	hash uint32
}

// find returns the handler of a request, nil if there is none.
func (r *registry) find(id HandlerID, hasSubroute bool, hash uint32) *handler {
	if hasSubroute {
		if m := r.subroutes.Load(); m != nil {
			return (*m)[subrouteKey{id, hash}]
		}
		return nil
	}
	if page := r.pages[id>>8].Load(); page != nil {
		return page[id&0xff].Load()
	}
	return nil
}

func (r *registry) add(h *handler) error {
	if err := h.validate(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.subroute != "" {
		return r.addSubroute(h)
	}
	page := r.pages[h.id>>8].Load()
	if page == nil {
		page = new([256]atomic.Pointer[handler])
		r.pages[h.id>>8].Store(page)
	}
	if !page[h.id&0xff].CompareAndSwap(nil, h) {
		return fmt.Errorf("%w: %d", ErrHandlerExists, h.id)
	}
	r.all = append(r.all, h)
	return nil
}

func (r *registry) addSubroute(h *handler) error {
	next := make(map[subrouteKey]*handler)
	if old := r.subroutes.Load(); old != nil {
		for k, v := range *old {
			next[k] = v
		}
	}
	key := subrouteKey{h.id, hashSubroute(h.subroute)}
	if old := next[key]; old != nil {
		if old.subroute != h.subroute {
			return fmt.Errorf("grid: the subroutes %q and %q of handler %d cannot be told apart: rename one", old.subroute, h.subroute, h.id)
		}
		return fmt.Errorf("%w: %d, subroute %q", ErrHandlerExists, h.id, h.subroute)
	}
	next[key] = h
	r.subroutes.Store(&next)
	r.all = append(r.all, h)
	return nil
}

func hashSubroute(name string) uint32 {
	f := fnv.New32a()
	_, _ = f.Write([]byte(name))
	return f.Sum32()
}

// list returns all handlers in the order of their ids.
func (r *registry) list() []*handler {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append([]*handler(nil), r.all...)
	sort.Slice(all, func(i, j int) bool {
		if all[i].id != all[j].id {
			return all[i].id < all[j].id
		}
		return all[i].subroute < all[j].subroute
	})
	return all
}

const (
	defaultConcurrent  = 1024
	defaultOutCapacity = 16
	defaultWindow      = 256 << 10
	minWindow          = 64 << 10
	maxWindow          = 64 << 20
	maxCapacity        = 1 << 16
)

func newHandler(id HandlerID, opts []HandlerOption) *handler {
	h := &handler{id: id, handlerOptions: handlerOptions{
		maxConcurrent: defaultConcurrent, queue: defaultConcurrent,
		window: defaultWindow, outCapacity: defaultOutCapacity,
	}}
	for _, o := range opts {
		o.applyHandler(&h.handlerOptions)
	}
	if h.dedupe > 0 {
		h.memory = newMemory(h.dedupe, h.dedupeFor)
	}
	return h
}

func (h *handler) validate() error {
	var err error
	check := func(ok bool, format string, args ...any) {
		if !ok && err == nil {
			err = fmt.Errorf("grid: handler %d: "+format, append([]any{h.id}, args...)...)
		}
	}
	if h.single == nil && h.stream == nil {
		return errors.New("grid: a handler that is nil")
	}
	check(h.maxConcurrent >= 1, "MaxConcurrent is %d, and must be at least 1", h.maxConcurrent)
	check(h.queue >= 0, "MaxWaiting is negative")
	check(h.timeout >= 0, "Timeout is negative")
	check(!h.inline || h.stream == nil, "Inline is for single requests")
	check(h.dedupe >= 0 && h.dedupeFor >= 0 && (h.dedupe == 0 || h.stream == nil), "Dedupe is for single requests, and not negative")
	check(h.window >= minWindow && h.window <= maxWindow, "Window is %d, and must be from 64 KiB to 64 MiB", h.window)
	check(h.inCapacity >= 0 && h.inCapacity <= maxCapacity, "InCapacity is %d, and must be from 0 to %d", h.inCapacity, maxCapacity)
	check(h.outCapacity >= 1 && h.outCapacity <= maxCapacity, "OutCapacity is %d, and must be from 1 to %d", h.outCapacity, maxCapacity)
	return err
}
