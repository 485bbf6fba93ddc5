package peer

import (
	"hash/maphash"
	"net/url"
	"sync/atomic"
)

// met are peers that were looked for lately, by what their URLs say as it is written: to make an [ID] of a URL takes longer
// than to find the peer. An entry stays what it is when its peer is let go of, and is of no use then.
type met struct {
	seed   maphash.Seed
	places *[256]metPlace
}

type metPlace struct{ atomic.Pointer[entry] }

func newMet() met { return met{maphash.MakeSeed(), new([256]metPlace)} }

// place is where the peer of u would be.
func (m *met) place(u *url.URL) *metPlace {
	return &m.places[maphash.String(m.seed, u.Host)%uint64(len(m.places))]
}

// find is the peer if it is there.
func (p *metPlace) find(u *url.URL, profile string) *Peer {
	e := p.Load()
	if e == nil || !e.is(u) || e.profile != profile {
		return nil
	}
	return e.keep.Load()
}

// note puts an entry there that is that of u, unless it was made from another spelling.
func (p *metPlace) note(e *entry, u *url.URL) {
	if e.is(u) && p.Load() != e {
		p.Store(e)
	}
}

func (e *entry) is(u *url.URL) bool { return e.host == u.Host && e.scheme == u.Scheme }
