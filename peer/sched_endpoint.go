package peer

import (
	"slices"
	"time"

	"github.com/ratmom/ratmom/internal/usercall"
	"github.com/ratmom/ratmom/peer/balance"
)

// endpoint is an address and what its links are doing.
type endpoint struct {
	Endpoint
	authority string    // that it is asked for, in place of the peer's; empty: none
	gone      bool      // the resolver names it no more
	links     int       // not closed, not pinned
	ready     []*link   // of them, those that are ready, since the longest first
	untold    int       // and those that have had no head, which tells what they can carry
	failed    int       // connections in a row
	ejected   bool      // as an outlier
	failing   bool      // its checks
	rests     time.Time // until when it has asked to be left alone; zero: it has not
	off       bool      // it rests, and others do not
	spares    spares
	check     uint64 // what the checker knows it by; 0: it does not
}

// update replaces the endpoints. Those that are there already keep their links and what
// is known of them; links of those that have gone end with what runs on them.
func (s *scheduler) update(addrs []Address, now time.Time) {
	s.recount = true
	for _, e := range s.endpoints {
		e.gone = true
	}
	if !s.told {
		s.http2 = len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a Address) bool { return !a.HTTP2 })
	}
	for _, a := range addrs {
		e := s.endpointAt(a.Addr, a.Authority)
		if e == nil {
			s.lastID++
			e = &endpoint{Endpoint: Endpoint{ID: s.lastID, Address: a.Addr, Since: now}, authority: a.Authority}
			s.endpoints = append(s.endpoints, e)
			s.outliers.Add(e.ID, now)
		}
		e.gone = false
		e.Name, e.Zone, e.Weight, e.Priority = a.Name, a.Zone, a.Weight, a.Priority
	}
	for _, l := range slices.Clone(s.links) {
		if l.ep.gone {
			l.because(EndGone)
			s.drain(l)
		}
	}
	for _, e := range s.endpoints {
		if e.gone {
			for _, ev := range s.outliers.Remove(e.ID, now) {
				s.ejection(ev, now)
			}
		} else {
			s.outliers.Add(e.ID, now)
		}
	}
	s.forget()
	s.findResting(now)
	if u, ok := s.policy.(balance.Updater); ok {
		s.eps = s.eps[:0]
		for _, e := range s.endpoints {
			if !e.gone {
				s.eps = append(s.eps, &e.Endpoint)
			}
		}
		usercall.Run("Policy.Update", func() { u.Update(slices.Clone(s.eps)) })
	}
	for p := range s.pins {
		s.serve(p, now)
	}
	s.place(now)
}

func (s *scheduler) endpointAt(addr, authority string) *endpoint {
	for _, e := range s.endpoints {
		if e.Address == addr && e.authority == authority {
			return e
		}
	}
	return nil
}

// forget drops the endpoints that have gone with their links.
func (s *scheduler) forget() {
	s.endpoints = slices.DeleteFunc(s.endpoints, func(e *endpoint) bool {
		return e.gone && !slices.ContainsFunc(s.links, func(l *link) bool { return l.ep == e })
	})
}
