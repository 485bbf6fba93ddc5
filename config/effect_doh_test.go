package config_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// dohServer answers that every name below .test is at 127.0.0.1, and that there is no
// other.
type dohServer struct {
	*testserver.Server
	url  string
	asks atomic.Int32
	hang atomic.Bool
}

func startDoH(t *testing.T, options ...testserver.Option) *dohServer {
	t.Helper()
	if !cgo.Features().DoH {
		t.Skip("libcurl without DNS over HTTPS")
	}
	d := &dohServer{}
	d.Server = testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		d.asks.Add(1)
		if d.hang.Load() {
			<-r.Context().Done()
			return
		}
		b, err := io.ReadAll(r.Body)
		var m dnsmessage.Message
		if err != nil || m.Unpack(b) != nil || len(m.Questions) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		q := m.Questions[0]
		m.Response = true
		switch {
		case !strings.HasSuffix(q.Name.String(), ".test."):
			m.RCode = dnsmessage.RCodeNameError
		case q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 600},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
		reply, err := m.Pack()
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/dns-message")
		_, _ = w.Write(reply)
	}, options...)
	d.url = d.URL + "/dns-query"
	return d
}

// at is the URL of s under another name.
func at(s *testserver.Server, name string) string {
	return strings.SplitAfter(s.URL, "://")[0] + fmt.Sprintf("%s:%d/", name, s.Port())
}

func TestDoH_finds_hosts_that_the_system_does_not_know(t *testing.T) {
	d := startDoH(t)
	s := testserver.Start(t, testserver.H1, tell(host))
	c := newClient(t, config.DoH(d.url), config.CAFile(d.CAFile))
	for range 3 {
		assert.Equal(t, fmt.Sprintf("a.test:%d", s.Port()), get(t, c, at(s, "a.test"), config.FreshConnection()))
	}
	asked := d.asks.Load()
	assert.NotZero(t, asked)
	assert.LessOrEqual(t, asked, int32(2), "A and AAAA; from the cache after that")
	refused(t, ratmom.ErrNameResolution, c, at(s, "a.invalid"))

	authority := testserver.LocalAuthority(t)
	secure := testserver.Start(t, testserver.H2, tell(host), testserver.WithCertificate(authority.Host(t, "b.test")))
	assert.Equal(t, fmt.Sprintf("b.test:%d", secure.Port()), get(t, c, at(secure, "b.test")))
}

func TestDoH_of_a_request_asks_anew_and_leaves_the_others_alone(t *testing.T) {
	d := startDoH(t)
	s := testserver.Start(t, testserver.H1, tell(func(r *http.Request) any { return testserver.ConnNumber(r) }))
	key := fmt.Sprintf("a.test:%d", s.Port())
	c := newClient(t, config.Resolve(map[string][]netip.Addr{key: {netip.MustParseAddr("127.0.0.1")}}), config.CAFile(d.CAFile))
	first := get(t, c, at(s, "a.test"))
	other := get(t, c, at(s, "b.test"), config.DoH(d.url))
	assert.NotZero(t, d.asks.Load())
	assert.NotEqual(t, first, other)
	assert.Equal(t, first, get(t, c, at(s, "a.test")))
	refused(t, ratmom.ErrNameResolution, c, at(s, "c.test"))
}

func TestDoH_server_is_verified(t *testing.T) {
	wrong := startDoH(t, testserver.WithCertificate(testserver.LocalAuthority(t).WrongHost(t)))
	foreign := startDoH(t, testserver.WithCertificate(testserver.NewAuthority(t).Localhost(t)))
	s := testserver.Start(t, testserver.H1, tell(host))
	c := newClient(t, config.CAFile(wrong.CAFile))
	u := at(s, "a.test")
	refused(t, ratmom.ErrNameResolution, c, u, config.DoH(wrong.url))
	refused(t, ratmom.ErrNameResolution, c, u, config.DoH(foreign.url))
	refused(t, ratmom.ErrNameResolution, c, u, config.DoH(foreign.url), config.DangerDoHAcceptInvalidHostnames(true))
	refused(t, ratmom.ErrNameResolution, c, u, config.DoH(wrong.url), config.DangerAcceptInvalidHostnames(true))
	get(t, c, u, config.DoH(wrong.url), config.DangerDoHAcceptInvalidHostnames(true))
	get(t, c, at(s, "b.test"), config.DoH(foreign.url), config.DangerDoHAcceptInvalidCertificates(true), config.DangerDoHAcceptInvalidHostnames(true))

	if cgo.Features().OCSPStapling {
		good := startDoH(t)
		get(t, c, at(s, "c.test"), config.DoH(good.url))
		refused(t, ratmom.ErrNameResolution, c, at(s, "d.test"), config.DoH(good.url), config.DoHOCSPStapling(true))
	}
}

func TestDoH_that_hangs_holds_nothing_back(t *testing.T) {
	d := startDoH(t)
	d.hang.Store(true)
	s := testserver.Start(t, testserver.H1, tell(host))
	c := newClient(t, config.DoH(d.url), config.CAFile(d.CAFile))
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		before := d.asks.Load()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at(s, "a.test"), nil)
		require.NoError(t, err)
		f := c.SendAsync(req)
		require.Eventually(t, func() bool { return d.asks.Load() > before }, 10*time.Second, time.Millisecond)
		cancel()
		_, err = f.Result()
		require.ErrorIs(t, err, ratmom.ErrCanceled)
	}
	refused(t, ratmom.ErrTimeout, c, at(s, "a.test"), config.ConnectTimeout(50*time.Millisecond))
	assert.Equal(t, s.Addr, get(t, c, s.URL), "an address needs no answer")
	d.hang.Store(false)
	assert.NotEmpty(t, get(t, c, at(s, "a.test")))

	d.hang.Store(true)
	f := c.SendAsync(mustRequest(t, at(s, "z.test")))
	require.NoError(t, c.Close())
	_, err := f.Result()
	require.ErrorIs(t, err, ratmom.ErrClosed)
}

func TestResolveAgain_asks_for_what_is_in_the_cache(t *testing.T) {
	d := startDoH(t)
	s := testserver.Start(t, testserver.H1, tell(host))
	c := newClient(t, config.DoH(d.url), config.CAFile(d.CAFile))
	get(t, c, at(s, "a.test"))
	asked := d.asks.Load()
	get(t, c, at(s, "a.test"), config.FreshConnection())
	assert.Equal(t, asked, d.asks.Load())
	get(t, c, at(s, "a.test"), config.FreshConnection(), config.ResolveAgain(fmt.Sprintf("a.test:%d", s.Port())))
	assert.Greater(t, d.asks.Load(), asked)
}
