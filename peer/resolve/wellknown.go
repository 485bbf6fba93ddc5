package resolve

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// WellKnown is a resolver for hosts that may name another host in their place, in a
// document that everybody knows where to find: https://host/.well-known/…. A name that
// is an address or has a port is not delegated. It must not be changed or copied once it
// is in use, and is closed at the end.
//
// The document is asked for once at a time for each host, and kept: for as long as
// its Cache-Control or Expires says, within limits; an answer of 4xx is "no
// delegation" for up to an hour; a failure is kept too, and an older document stands in
// for it. Without a document, the host stands for itself. That the named host names another
// is not looked at, nor is the Service of the name that was asked for.
type WellKnown struct {
	// Next resolves what is named.
	Next Resolver
	// Fetch sends a GET request and must not follow redirects: the RoundTrip of
	// an http.RoundTripper, such as that of a client's Transport. The body is
	// closed.
	Fetch func(*http.Request) (*http.Response, error)
	// Path is where the document is: "/.well-known/matrix/server".
	Path string
	// Parse finds the host, "host" or "host:port", in the document. It must take
	// whatever comes.
	Parse func(document []byte) (string, error)
	// Service and Port are what Next is asked for where no port is named, see
	// [Name]. Where one is, or an address, no service is.
	Service string
	Port    uint16
	// MinTTL and MaxTTL clamp the time of a document; 0 is 5 minutes, and 2 days.
	// One that does not say how long it holds has a day.
	MinTTL, MaxTTL time.Duration
	// FailureTTL is how long a failure is kept; 0 is 10 minutes.
	FailureTTL time.Duration
	// StaleFor is how long after its end a document stands in for a failure; 0 is 2
	// days, and less than 0 is never.
	StaleFor time.Duration
	// Timeout is for one document, with redirects; 0 is 15 seconds.
	Timeout time.Duration
	// MaxSize is how long a document may be, in bytes; 0 is 64 KiB.
	MaxSize int64
	// MaxRedirects is how many are followed, to https only; 0 is 5, and less than
	// 0 is none.
	MaxRedirects int
	// MaxHosts is how many hosts are kept; 0 is 4096. The one that was not used
	// for the longest time goes first.
	MaxHosts int

	once sync.Once
	err  error
	memo *memo[delegation]
}

var _ Resolver = (*WellKnown)(nil)

// Matrix finds Matrix homeservers as the server-server API says ("Resolving server
// names"): by delegation, then by SRV records, at port 8448 else.
func Matrix(next Resolver, fetch func(*http.Request) (*http.Response, error)) *WellKnown {
	return &WellKnown{
		Next: next, Fetch: fetch, Path: "/.well-known/matrix/server", Parse: parseMatrix,
		Service: "_matrix-fed._tcp _matrix._tcp", Port: 8448,
	}
}

func parseMatrix(document []byte) (string, error) {
	var d struct {
		Server *string `json:"m.server"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return "", errors.New("not a JSON object")
	}
	if d.Server == nil {
		return "", errors.New("no m.server in it")
	}
	return *d.Server, nil
}

func (w *WellKnown) start() error {
	w.once.Do(func() {
		switch {
		case w.Next == nil || w.Fetch == nil || w.Parse == nil:
			w.err = errors.New("well-known resolver: Next, Fetch and Parse must be set")
		case len(w.Path) == 0 || w.Path[0] != '/':
			w.err = errors.New("well-known resolver: the path begins with /")
		case min(w.MinTTL, w.MaxTTL, w.FailureTTL, w.Timeout, time.Duration(w.MaxSize), time.Duration(w.MaxHosts)) < 0:
			w.err = errors.New("well-known resolver: a limit is below zero")
		}
		least := orElse(w.MinTTL, 5*time.Minute)
		w.memo = newMemo(limits{
			min: least, max: max(orElse(w.MaxTTL, 48*time.Hour), least), negativeMax: time.Hour,
			failure: orElse(w.FailureTTL, 10*time.Minute), stale: max(orElse(w.StaleFor, 48*time.Hour), 0),
			patience: 1800 * time.Millisecond, lookup: orElse(w.Timeout, 15*time.Second),
			names: max(orElse(w.MaxHosts, 4096), 1), lookups: 64,
		}, w.fetch)
	})
	return w.err
}

// Resolve asks Next for what the name's host names. The Authority of the answer is the
// host that was named, with its port if it came with one.
func (w *WellKnown) Resolve(ctx context.Context, name Name) (Answer, error) {
	if err := w.start(); err != nil {
		return Answer{}, err
	}
	if _, ok := literal(name); ok || name.Port != 0 {
		return w.Next.Resolve(ctx, w.target(name.Scheme, delegation{name.Host, name.Port}))
	}
	host, err := canonical(name.Host)
	if err != nil {
		return Answer{}, err
	}
	g, err := w.memo.get(ctx, Name{Host: host})
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return Answer{}, err
		}
		g = got[delegation]{ttl: w.memo.failure}
	}
	to := g.value
	if to.host == "" {
		to.host = host
	}
	a, err := w.Next.Resolve(ctx, w.target(name.Scheme, to))
	if err != nil {
		return Answer{}, err
	}
	a.TTL = min(a.TTL, g.ttl)
	if to.host != host || to.port != 0 {
		a.Authority = to.String()
	}
	return a, nil
}

// target is what Next is asked for.
func (w *WellKnown) target(scheme string, to delegation) Name {
	name := Name{Scheme: scheme, Host: to.host, Port: to.port}
	if name.Port != 0 {
		return name
	}
	name.Port = w.Port
	if _, ok := literal(name); !ok {
		name.Service = w.Service
	}
	return name
}

// Forget drops what is kept of a host, a failure too.
func (w *WellKnown) Forget(host string) {
	if host, err := canonical(host); err == nil && w.start() == nil {
		w.memo.forget(Name{Host: host})
	}
}

// Close ends all fetches and waits until they have ended.
func (w *WellKnown) Close() {
	if w.start() == nil {
		w.memo.close()
	}
}
