package resolve

import (
	"context"
	"errors"
	"net/netip"
)

// Literal answers names that are addresses already, and no others: those are
// [InvalidName]. It asks nobody. Where it is the only resolver, nothing is ever
// looked up: the layer above names the address.
var Literal Resolver = Func(func(_ context.Context, name Name) (Answer, error) {
	if a, ok := literal(name); ok {
		return a, nil
	}
	return Answer{}, &Error{Kind: InvalidName, Name: name.Host, Err: errors.New("not an address")}
})

// literal answers a name that is an address.
func literal(name Name) (Answer, bool) {
	addr, err := netip.ParseAddr(name.Host)
	if err != nil {
		return Answer{}, false
	}
	at := netip.AddrPortFrom(addr.Unmap(), name.port())
	return Answer{Endpoints: []Endpoint{{Addr: at, Weight: 1}}, TTL: Forever}, true
}
