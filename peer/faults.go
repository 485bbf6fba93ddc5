package peer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/peer/resolve"
	"github.com/ratmom/ratmom/retry"
)

// faults remembers that a peer could not be connected to, and lets one request find
// out when that has lasted.
type faults struct {
	errs  health.Errors[struct{}]
	all   error     // what is remembered if it is that all endpoints rest
	asked time.Time // until when the peer itself has asked to be left alone, by a 429
}

// ask is why a request is not made, nil if it may be: then settle is told what it came to.
func (f *faults) ask(now time.Time) (health.Ticket, error) {
	ticket, err := f.errs.Ask(struct{}{}, now)
	if err != nil {
		err = &failedBefore{err}
	}
	return ticket, err
}

// failedBefore is an [ErrUnavailable] with the failure before, told once.
type failedBefore struct{ err error }

func (u *failedBefore) Error() string {
	var b *health.Blocked
	switch {
	case !errors.As(u.err, &b):
		return ErrUnavailable.Error() + ": " + u.err.Error()
	case b.Err == nil:
		return fmt.Sprintf("%v (%s)", ErrUnavailable, b.Kind)
	}
	return fmt.Sprintf("%v (%s): %v", ErrUnavailable, b.Kind, b.Err)
}

func (u *failedBefore) Unwrap() []error { return []error{ErrUnavailable, u.err} }

// answered notes that the peer has answered a request.
func (f *faults) answered(t health.Ticket) { f.errs.Succeed(struct{}{}, t) }

// settle notes what a request came to.
func (f *faults) settle(t health.Ticket, o outcome, now time.Time) {
	switch {
	case o.err == nil:
		f.answered(t)
	case o.unsent && !o.hopeless:
		f.errs.Fail(struct{}{}, t, faultOf(o.err), now)
	default:
		f.errs.Cancel(struct{}{}, t)
	}
}

// asksForRest reports whether a response of this status may ask to be left alone, by Retry-After.
func asksForRest(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// leaveAlone does what a response asks for by Retry-After. With a 503 (RFC 9110, section 15.6.4) it is this server that cannot
// serve: that endpoint is left alone, and the peer when all are. A 429 (RFC 6585, section 4) is about how much the client asks
// for, which servers that stand for one name count together: the peer is left alone. The lock is held.
func (p *Peer) leaveAlone(e *endpoint, status int, header http.Header, now time.Time) {
	if !asksForRest(status) {
		return
	}
	d, ok := retry.After(header, now)
	if !ok || d <= 0 {
		return
	}
	if status == http.StatusServiceUnavailable {
		if e == nil { // the resolver names it no more
			return
		}
		all, until := p.s.rest(e, p.faults.errs.Time(busy(status, d)), now)
		if !all {
			return
		}
		d = until.Sub(now)
	}
	p.leavePeer(status, d, now)
}

// leavePeer leaves the peer alone that has answered with this status. The lock is held.
func (p *Peer) leavePeer(status int, d time.Duration, now time.Time) {
	f := &p.faults
	fault := busy(status, d)
	if status == http.StatusServiceUnavailable {
		if f.all == nil {
			f.all = fault.Err
		}
		fault.Err = f.all
	} else if end := now.Add(f.errs.Time(fault)); end.After(f.asked) {
		f.asked = end
	}
	f.errs.Rest(struct{}{}, fault, now)
}

// allRest reports whether the peer is left alone because all its endpoints rest.
func (f *faults) allRest(now time.Time) bool {
	b := f.errs.Get(struct{}{}, now)
	return b != nil && b.Err == f.all
}

// comeBack ends that, since they do not any more. What the peer has asked for itself goes on.
func (f *faults) comeBack(now time.Time) {
	if !f.allRest(now) {
		return
	}
	f.errs.Clear(struct{}{})
	if d := f.asked.Sub(now); d > 0 {
		f.errs.Rest(struct{}{}, busy(http.StatusTooManyRequests, d), now)
	}
}

func busy(status int, d time.Duration) health.Fault {
	return health.Fault{Kind: health.KindBusy, Err: fmt.Errorf("status %d", status), For: d}
}

// clear forgets all of it.
func (f *faults) clear() (had bool) {
	f.asked = time.Time{}
	return f.errs.Clear(struct{}{})
}

// err is what is remembered; nil if a request may be made.
func (f *faults) err(now time.Time) error {
	if b := f.errs.Get(struct{}{}, now); b != nil {
		return b
	}
	return nil
}

// faultOf is the kind of a failure to connect.
func faultOf(err error) health.Fault {
	f := health.Fault{Kind: health.KindOf(err), Err: err}
	var name *resolve.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &name):
		f.Kind, f.For = health.KindNameFailed, name.TTL
		switch name.Kind {
		case resolve.NotExist, resolve.NoData, resolve.InvalidName:
			f.Kind = health.KindNameUnknown
		}
	case errors.As(err, &dns):
		f.Kind = health.KindOf(dns)
	}
	return f
}
