package resolve

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// lookup is one call of Resolve, or a part of it that can be given up.
type lookup struct {
	dns  *DNS
	conf conf
	ctx  context.Context
	*common
}

// common is what the parts of a call share.
type common struct {
	slots chan struct{} // for questions on the way

	mu    sync.Mutex
	addrs map[string]func() addrSet // of a host, asked for once
}

// maxQuestions is how many questions of a call are on the way at once.
const maxQuestions = 8

// grace is how much longer than for the addresses of one family a call waits for those
// of the other, and for HTTPS records: some networks never answer one kind of question.
const grace = 500 * time.Millisecond

func newLookup(ctx context.Context, d *DNS) *lookup {
	return &lookup{
		dns: d, conf: d.config(), ctx: ctx,
		common: &common{slots: make(chan struct{}, maxQuestions), addrs: make(map[string]func() addrSet)},
	}
}

// part is a part of the call, which cancel gives up.
func (l *lookup) part() (part *lookup, cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(l.ctx)
	return &lookup{dns: l.dns, conf: l.conf, ctx: ctx, common: l.common}, cancel
}

// ask asks one server after the other, until one knows.
func (l *lookup) ask(q question) (reply, string, error) {
	var last *Error
	refused := make(map[netip.AddrPort]bool)
	for range l.conf.attempts {
		for _, server := range l.conf.servers {
			if refused[server] {
				continue
			}
			r, err := l.exchange(server, q)
			if l.ctx.Err() != nil {
				return reply{}, "", l.ended(q, server)
			}
			kind, cause := verdict(r, err)
			if kind == Unknown && cause == nil {
				return r, server.String(), nil
			}
			refused[server] = kind == Refused
			// Silence says less than any word.
			if last == nil || last.Kind == Timeout || kind != Timeout {
				last = &Error{Kind: kind, Name: q.name, Type: q.typeName(), Server: server.String(), Err: cause}
			}
		}
	}
	return reply{}, "", last
}

// exchange asks one server, when it is its turn.
func (l *lookup) exchange(server netip.AddrPort, q question) (reply, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
		return l.dns.exchange(l.ctx, server, q, l.conf.timeout)
	case <-l.ctx.Done():
		return reply{}, l.ctx.Err()
	}
}

// ended is the error of a call whose context has ended.
func (l *lookup) ended(q question, server netip.AddrPort) error {
	e := &Error{Name: q.name, Type: q.typeName(), Server: server.String(), Err: context.Cause(l.ctx)}
	if errors.Is(l.ctx.Err(), context.DeadlineExceeded) {
		e.Kind = Timeout
	}
	return e
}

// verdict is Unknown without a cause for a reply that is an answer or a "no".
func verdict(r reply, err error) (Kind, error) {
	switch {
	case err != nil:
		return kindOfExchange(err), err
	case r.referral:
		return ServerFailure, errors.New("it does not resolve names for us")
	}
	switch r.rcode {
	case dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError:
		return Unknown, nil
	case dnsmessage.RCodeServerFailure:
		return ServerFailure, errors.New("SERVFAIL")
	case dnsmessage.RCodeRefused:
		return Refused, errors.New("REFUSED")
	}
	return ServerFailure, fmt.Errorf("response code %d", r.rcode)
}
