package peer

import (
	"context"
	"time"
)

// Address is what a [Resolver] finds: an address that stands for a peer.
type Address struct {
	// Addr is ip:port or host:port; empty leaves it to libcurl to look the host up.
	Addr string
	// Priority orders addresses as in SRV records: the lower, the sooner.
	Priority int
	// Weight is the share among those of one priority; 0 is 1.
	Weight float64
	// Zone is where it stands.
	Zone string
	// Name is what hashing policies know it by; it should outlive a change of address. Empty: Addr.
	Name string
	// Authority, "host" or "host:port", is who is asked for there in place of the peer: in Host or :authority, in TLS
	// and its certificate. Credentials of the peer's go there, too, those of a netrc file by the authority's name, and no proxy is between.
	// Empty: the peer itself. A request whose Host is not that of its URL keeps it.
	Authority string
	// HTTP2 tells that it is said to speak HTTP/2 over TLS, as HTTPS records do. If all addresses are,
	// the requests that come before anything is known of the peer share one connection in place of making several.
	HTTP2 bool
}

// Resolver finds the addresses of a peer. It may block: 64 lookups run at once, and others wait. A panic of it goes to the
// standard logger and is a failure to find any.
type Resolver interface {
	// Resolve returns the addresses of a peer and how long they may be used; 0 is for
	// as long as the peer is used.
	Resolve(ctx context.Context, scheme, host, port string) ([]Address, time.Duration, error)
}

// ResolverFunc is a Resolver that is a function.
type ResolverFunc func(ctx context.Context, scheme, host, port string) ([]Address, time.Duration, error)

// Resolve calls f.
func (f ResolverFunc) Resolve(ctx context.Context, scheme, host, port string) ([]Address, time.Duration, error) {
	return f(ctx, scheme, host, port)
}
