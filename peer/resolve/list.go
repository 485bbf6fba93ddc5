package resolve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// A Target is a host of a [List].
type Target struct {
	Name Name
	// Priority and Zone are those of its endpoints.
	Priority uint16
	Zone     string
	// Weight is shared by its endpoints.
	Weight float64
}

// List answers every name with the endpoints of these hosts, which next resolves. Of
// a host whose own endpoints have priorities, those with the lowest number are taken.
// A host without an answer is left out, and asked for again after 30 seconds at most; if
// none has one, the error is that of the first. Of two hosts at one address the first by
// priority counts.
//
// It fails for no target or more than [MaxEndpoints], and for a weight that is negative
// or no number.
func List(next Resolver, targets ...Target) (Resolver, error) {
	switch {
	case next == nil:
		return nil, errors.New("list of hosts: no resolver to ask")
	case len(targets) == 0 || len(targets) > MaxEndpoints:
		return nil, fmt.Errorf("list of hosts: %d are not 1 to %d", len(targets), MaxEndpoints)
	}
	for _, t := range targets {
		if !(t.Weight >= 0) || math.IsInf(t.Weight, 0) {
			return nil, fmt.Errorf("list of hosts: weight %v of %s", t.Weight, quoted(t.Name.Host))
		}
	}
	return &hostList{next, slices.Clone(targets)}, nil
}

type hostList struct {
	next    Resolver
	targets []Target
}

// Resolve asks for all hosts at once.
func (l *hostList) Resolve(ctx context.Context, _ Name) (Answer, error) {
	answers, errs := make([]Answer, len(l.targets)), make([]error, len(l.targets))
	var wg sync.WaitGroup
	for i, t := range l.targets {
		wg.Go(func() { answers[i], errs[i] = l.next.Resolve(ctx, t.Name) })
	}
	wg.Wait()
	var eps []Endpoint
	ttl, stale := Forever, false
	for i, t := range l.targets {
		if errs[i] != nil {
			ttl = min(ttl, unsureTTL)
			continue
		}
		eps = append(eps, t.endpoints(answers[i])...)
		ttl, stale = min(ttl, answers[i].TTL), stale || answers[i].Stale
	}
	if len(eps) == 0 {
		if errs[0] != nil {
			return Answer{}, errs[0]
		}
		return Answer{}, &Error{Kind: NoData, Name: l.targets[0].Name.Host}
	}
	a := newAnswer(eps, ttl)
	a.Stale = stale
	return a, nil
}

// endpoints are those of an answer for the target, as the target has them.
func (t Target) endpoints(a Answer) []Endpoint {
	first := uint16(math.MaxUint16)
	for _, e := range a.Endpoints {
		first = min(first, e.Priority)
	}
	eps := slices.DeleteFunc(slices.Clone(a.Endpoints), func(e Endpoint) bool { return e.Priority != first })
	for i := range eps {
		e := &eps[i]
		e.Priority, e.Zone, e.Weight = t.Priority, t.Zone, t.Weight/float64(len(eps))
	}
	return eps
}
