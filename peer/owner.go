package peer

import (
	"net/http"
	"strings"
	"time"
)

// Owner says on whose behalf the request is, for credentials that belong to the connection rather than to
// a request: those of NTLM, Negotiate and Kerberos in a field Authorization or Proxy-Authorization that the
// caller has set, as a proxy does that passes them on. The first such request of an owner at a peer gets a [Pin] by itself, and
// all requests of that owner there use it from then on, with such a field or without: nobody else's are ever on
// that connection. When it is lost, the owner's next request fails with [ErrPinLost], and the one after that begins
// anew. [Peer.Disown] ends it.
//
// Without an owner, and not on a [Pin] or a [Link], a request with such a field fails with [ErrNotPinned].
func Owner(name string) RequestOption { return func(o *requestOptions) { o.owner = name } }

// bindsConnection reports whether a request has credentials that the server may take as those of its
// connection.
func bindsConnection(h http.Header) bool {
	for name, values := range h { // which may be in any case
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Proxy-Authorization":
		default:
			continue
		}
		for _, v := range values {
			scheme := strings.TrimLeft(v, " \t")
			if end := strings.IndexAny(scheme, " \t,"); end >= 0 {
				scheme = scheme[:end]
			}
			switch strings.ToLower(scheme) {
			case "ntlm", "negotiate", "kerberos":
				return true
			}
		}
	}
	return false
}

// pinFor is the pin of an owner, nil if there is none and none is needed.
func (p *Peer) pinFor(owner string, binds bool) (*Pin, error) {
	if owner == "" {
		if binds {
			return nil, ErrNotPinned
		}
		return nil, nil
	}
	p.ownersMu.Lock()
	defer p.ownersMu.Unlock()
	pin := p.owners[owner]
	if pin == nil && !binds {
		return nil, nil
	}
	if pin != nil {
		told, unused := p.end(pin)
		if !told {
			return pin, nil // if it is lost, this request is told
		}
		delete(p.owners, owner)
		if unused {
			p.release(pin.pin, ErrPinLost)
		}
		if !binds {
			return nil, nil
		}
	}
	pin, err := p.Pin()
	if err == ErrTooManyPins && p.disownLost() {
		pin, err = p.Pin()
	}
	if err != nil {
		return nil, err
	}
	if p.owners == nil {
		p.owners = make(map[string]*Pin)
	}
	p.owners[owner] = pin
	return pin, nil
}

// end reports whether a request on a pin was told that it is lost, and whether nothing runs there.
func (p *Peer) end(pin *Pin) (told, unused bool) {
	p.look(func(time.Time) { told, unused = pin.pin.told, pin.pin.link == nil || pin.pin.link.runs == 0 })
	return told, unused
}

func (p *Peer) isOver(pin *Pin) (over bool) {
	p.look(func(time.Time) { over = pin.pin.err() != nil })
	return over
}

// disownLost releases the pins that are lost, and reports whether there were any.
func (p *Peer) disownLost() (some bool) {
	for owner, pin := range p.owners {
		if p.isOver(pin) {
			p.release(pin.pin, ErrPinLost) // to who has it, but has not sent yet
			delete(p.owners, owner)
			some = true
		}
	}
	return some
}

// Disown closes the connection that an [Owner] has, with what runs on it. It reports whether there was one.
func (p *Peer) Disown(owner string) bool {
	p.ownersMu.Lock()
	pin := p.owners[owner]
	delete(p.owners, owner)
	p.ownersMu.Unlock()
	if pin == nil {
		return false
	}
	pin.Release()
	return true
}
