package balance

import "time"

// Flight is a request's way through an endpoint. It keeps the endpoint's InFlight, Waiting
// and Latency true, in constant time and without allocation if it is part of what the
// scheduler keeps of the request anyway.
//
//	f.Begin(e, now) // the request was placed on e
//	f.Head(now)     // its head has come, or f.Fail(now): none will, or f.GiveUp(now): nobody waits for it
//	f.End()         // it has ended, was cancelled, or goes elsewhere
//
// What comes twice, or out of order, counts once. The zero value has not begun; one that
// has ended can begin again. It must not be copied meanwhile.
type Flight struct {
	e          *Endpoint
	since      time.Time
	waits      bool
	prev, next *Flight // older and younger ones that wait at the endpoint
}

// Begin places the request on e; where it was before, it ends.
func (f *Flight) Begin(e *Endpoint, now time.Time) {
	f.End()
	f.e, f.since, f.waits = e, now, true
	e.InFlight++
	if f.prev = e.youngest; f.prev != nil {
		f.prev.next = f
	} else {
		e.oldest, e.Waiting = f, now
	}
	e.youngest = f
}

// Head says that the head of the response has come, whatever its status.
func (f *Flight) Head(now time.Time) {
	if f.waits {
		f.waited()
		f.e.Latency.Observe(now.Sub(f.since), now)
	}
}

// Fail says that no head will come, and that it is the endpoint's fault. After the head
// it is nothing.
func (f *Flight) Fail(now time.Time) {
	if f.waits {
		f.waited()
		f.e.Latency.Fail(now.Sub(f.since), now)
	}
}

// GiveUp says that nobody waits for the head any more, through no fault of the endpoint: it would have come, but later.
// After the head it is nothing.
func (f *Flight) GiveUp(now time.Time) {
	if f.waits {
		f.waited()
		f.e.Latency.AtLeast(now.Sub(f.since), now)
	}
}

// End takes the request from its endpoint. Before head, failure and giving up it says nothing of it.
func (f *Flight) End() {
	if f.e == nil {
		return
	}
	f.waited()
	f.e.InFlight--
	f.e = nil
}

// Endpoint is where the request is; nil if it is nowhere.
func (f *Flight) Endpoint() *Endpoint { return f.e }

// waited takes the request from those that wait.
func (f *Flight) waited() {
	if !f.waits {
		return
	}
	f.waits = false
	e := f.e
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		e.oldest = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	} else {
		e.youngest = f.prev
	}
	f.prev, f.next = nil, nil
	e.Waiting = time.Time{}
	if e.oldest != nil {
		e.Waiting = e.oldest.since
	}
}
