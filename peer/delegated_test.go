package peer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/peer/resolve"
)

// delegates resolves names as Matrix does: document is what https://HOST/.well-known/matrix/server says, and
// every name is at addr.
func delegates(t *testing.T, document, addr string) Option {
	t.Helper()
	to, err := netip.ParseAddrPort(addr)
	require.NoError(t, err)
	known := testserver.Start(t, testserver.HTTPS1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "some.peer.test" || r.URL.Path != "/.well-known/matrix/server" || document == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(document))
	}), testserver.WithCertificate(testserver.LocalAuthority(t).Host(t, "some.peer.test")))
	client, err := ratmom.New(config.Proxy(""), config.CAFile(known.CAFile), config.ConnectTo(map[string]string{"": known.Addr}))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	next := resolve.Func(func(_ context.Context, n resolve.Name) (resolve.Answer, error) {
		return resolve.Answer{Endpoints: []resolve.Endpoint{{Addr: to, Weight: 1}}, TTL: time.Hour}, nil
	})
	matrix := resolve.Matrix(next, client.Transport().RoundTrip)
	t.Cleanup(matrix.Close)
	return WithResolver(Names(matrix, ""))
}

func TestPeer_that_is_delegated_is_asked_for_by_the_name_it_was_given(t *testing.T) {
	for _, mode := range []testserver.Mode{testserver.HTTPS1, testserver.H2} {
		t.Run(string(mode), func(t *testing.T) {
			type seen struct{ host, sni, proto, path string }
			got := make(chan seen, 100)
			s := testserver.Start(t, mode, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				got <- seen{r.Host, r.TLS.ServerName, r.Proto, r.URL.String()}
			}), testserver.WithCertificate(testserver.LocalAuthority(t).Host(t, "delegated.test")))
			m := openMap(t, Requests(config.CAFile(s.CAFile)), delegates(t, `{"m.server":"delegated.test:8448"}`, s.Addr),
				Checks(Check{Kind: CheckHTTP, Path: "/check", Policy: health.CheckPolicy{Interval: time.Hour}}))
			for range 3 {
				req := request(t, http.MethodPost, "https://some.peer.test/path?q")
				req.Body = body.String("content")
				_, err := m.Do(req)
				require.NoError(t, err)
			}
			paths := map[string]int{}
			for range 4 {
				g := await(t, got)
				paths[g.path]++
				g.path = ""
				assert.Equal(t, seen{"delegated.test:8448", "delegated.test", mode.Proto(), ""}, g)
			}
			assert.Equal(t, map[string]int{"/path?q": 3, "/check": 1}, paths)
			p, err := m.Get("https://some.peer.test/")
			require.NoError(t, err)
			found(t, p, s.Addr, "up")
			assert.Equal(t, "delegated.test:8448", p.Snapshot(0).Endpoints[0].Authority)
			assert.Equal(t, ID{Scheme: "https", Host: "some.peer.test", Port: "443"}, p.ID())

			req := request(t, http.MethodGet, "https://some.peer.test/")
			req.Host = "own.test"
			_, err = m.Do(req)
			require.NoError(t, err)
			assert.Equal(t, "own.test", await(t, got).host, "whoever asks for it gets it")
			assert.Equal(t, "some.peer.test", req.URL.Host, "the caller's request is left alone")
		})
	}
}

func TestPeer_that_is_delegated_must_prove_the_name_it_was_given(t *testing.T) {
	a := testserver.LocalAuthority(t)
	for _, c := range []struct {
		name, document, certificate string
		good                        bool
	}{
		{"that of the peer alone", `{"m.server":"delegated.test"}`, "some.peer.test", false},
		{"the delegated one", `{"m.server":"delegated.test"}`, "delegated.test", true},
		{"not delegated", "", "some.peer.test", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testserver.Start(t, testserver.HTTPS1, http.NotFoundHandler(), testserver.WithCertificate(a.Host(t, c.certificate)))
			m := openMap(t, Requests(config.CAFile(s.CAFile)), delegates(t, c.document, s.Addr))
			_, err := m.Do(request(t, http.MethodGet, "https://some.peer.test/"), AnyStatus())
			if c.good {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, ratmom.ErrCertificateVerification)
			}
		})
	}
}

func TestPeer_in_clear_text_can_be_delegated_too(t *testing.T) {
	hosts := make(chan string, 1)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host })
	authority := "delegated.test"
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return []Address{{Addr: hostPort(t, s.URL), Authority: authority}}, time.Nanosecond, nil
	})))
	_, err := m.Do(request(t, http.MethodGet, "http://some.peer.test/"))
	require.NoError(t, err)
	assert.Equal(t, "delegated.test", await(t, hosts))
	p, err := m.Get("http://some.peer.test/")
	require.NoError(t, err)

	p.decide(func(now time.Time) {
		p.update([]Address{{Addr: hostPort(t, s.URL), Authority: "other.test"}}, now)
	})
	_, err = m.Do(request(t, http.MethodGet, "http://some.peer.test/"))
	require.NoError(t, err)
	assert.Equal(t, "other.test", await(t, hosts))
	assert.EqualValues(t, 2, s.conns.Load(), "its connections were not those of the other")
}

func TestPeer_with_an_authority_that_is_none_sends_nothing(t *testing.T) {
	s := plain(t, nil)
	for _, authority := range []string{"a b", "a/b", "a\r\nX-Header: 1", "user@host"} {
		m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
			return []Address{{Addr: hostPort(t, s.URL), Authority: authority}}, 0, nil
		})))
		_, err := m.Do(request(t, http.MethodGet, "http://some.peer.test/"))
		require.Error(t, err, "%q", authority)
		var se *StatusError
		require.False(t, errors.As(err, &se))
	}
	assert.Zero(t, s.hits.Load())
}

func TestPeer_without_a_proxy_has_none_where_it_is_delegated_to(t *testing.T) {
	proxy := plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s := plain(t, nil)
	m := openMap(t, Requests(config.Proxy(proxy.URL), config.NoProxy("peer.test")),
		WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
			return []Address{{Addr: s.Listener.Addr().String(), Authority: "other.test"}}, 0, nil
		})))
	res, err := m.Do(request(t, http.MethodGet, "http://peer.test/"), AnyStatus())
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.Status)
	assert.Zero(t, proxy.conns.Load())
}
