package resolve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// site is the servers of all hosts, as Fetch sees them.
type site struct {
	mu    sync.Mutex
	pages map[string]page // URL
	asked []string
	open  int // bodies
	delay time.Duration
}

type page struct {
	status int
	header http.Header
	body   string
	err    error
}

func (s *site) put(url string, p page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages == nil {
		s.pages = make(map[string]page)
	}
	if p.status == 0 {
		p.status = 200
	}
	s.pages[url] = p
}

func (s *site) fetch(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, req.URL.String())
	p, ok := s.pages[req.URL.String()]
	if !ok {
		p.status = 404
	}
	if p.err != nil {
		return nil, p.err
	}
	if p.header == nil {
		p.header = http.Header{}
	}
	s.open++
	return &http.Response{StatusCode: p.status, Header: p.header, Body: &countedBody{Reader: strings.NewReader(p.body), site: s}}, nil
}

func (s *site) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

type countedBody struct {
	io.Reader
	site *site
	once sync.Once
}

func (b *countedBody) Close() error {
	b.once.Do(func() {
		b.site.mu.Lock()
		defer b.site.mu.Unlock()
		b.site.open--
	})
	return nil
}

const document = "https://example.test/.well-known/matrix/server"

// echo is a Next that notes what it was asked for.
type echo struct {
	mu    sync.Mutex
	asked []Name
	ttl   time.Duration
}

func (e *echo) Resolve(_ context.Context, name Name) (Answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, name)
	return newAnswer(plain([]netip.Addr{netip.MustParseAddr("192.0.2.1")}, name.Host, name.port()), e.ttl), nil
}

func (e *echo) last() Name {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked[len(e.asked)-1]
}

// delegated runs a test in a bubble of its own time.
func delegated(t *testing.T, run func(t *testing.T, w *WellKnown, s *site, next *echo)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, next := new(site), &echo{ttl: Forever}
		w := Matrix(next, s.fetch)
		defer func() {
			w.Close()
			assert.Zero(t, s.open, "every body is closed")
		}()
		run(t, w, s, next)
	})
}

var example = Name{Scheme: "https", Host: "Example.test"}

func TestMatrix_asks_for_what_the_document_names(t *testing.T) {
	const services = "_matrix-fed._tcp _matrix._tcp"
	for said, want := range map[string]struct {
		next      Name
		authority string
	}{
		"Fed.Test":            {Name{"https", "fed.test", 8448, services}, "fed.test"},
		"fed.test:443":        {Name{"https", "fed.test", 443, ""}, "fed.test:443"},
		"192.0.2.7":           {Name{"https", "192.0.2.7", 8448, ""}, "192.0.2.7"},
		"192.0.2.7:1":         {Name{"https", "192.0.2.7", 1, ""}, "192.0.2.7:1"},
		"[2001:DB8::7]":       {Name{"https", "2001:db8::7", 8448, ""}, "[2001:db8::7]"},
		"[2001:db8::7]:65535": {Name{"https", "2001:db8::7", 65535, ""}, "[2001:db8::7]:65535"},
		"example.test":        {Name{"https", "example.test", 8448, services}, ""},
	} {
		delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
			s.put(document, page{body: `{"m.server": "` + said + `", "more": [1]}`})
			a, err := w.Resolve(t.Context(), example)
			require.NoError(t, err)
			assert.Equal(t, want.next, next.last(), said)
			assert.Equal(t, want.authority, a.Authority)
			assert.Equal(t, 24*time.Hour, a.TTL)
		})
	}
}

func TestMatrix_asks_for_no_document_where_none_can_be(t *testing.T) {
	delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
		for name, want := range map[Name]Name{
			{Host: "192.0.2.1"}:               {Host: "192.0.2.1", Port: 8448},
			{Host: "2001:db8::1", Port: 5}:    {Host: "2001:db8::1", Port: 5},
			{Host: "example.test", Port: 443}: {Host: "example.test", Port: 443},
		} {
			a, err := w.Resolve(t.Context(), name)
			require.NoError(t, err)
			assert.Equal(t, want, next.last())
			assert.Empty(t, a.Authority)
		}
		_, err := w.Resolve(t.Context(), Name{Host: "a b"})
		require.ErrorIs(t, err, InvalidName)
		assert.Zero(t, s.times())
	})
}

func TestMatrix_lets_the_host_stand_for_itself_without_a_good_document(t *testing.T) {
	for name, p := range map[string]page{
		"404":        {status: 404, header: http.Header{"Cache-Control": {"max-age=999999999"}}},
		"500":        {status: 500},
		"204":        {status: 204},
		"failure":    {err: errors.New("broken")},
		"no JSON":    {body: "<html>"},
		"list":       {body: "[]"},
		"empty":      {body: "{}"},
		"null":       {body: `{"m.server": null}`},
		"number":     {body: `{"m.server": 5}`},
		"no host":    {body: `{"m.server": ""}`},
		"URL":        {body: `{"m.server": "https://fed.test"}`},
		"userinfo":   {body: `{"m.server": "a@fed.test"}`},
		"lines":      {body: `{"m.server": "fed.test\r\nX: y"}`},
		"too long":   {body: `{"m.server": "fed.test"}` + strings.Repeat(" ", 70_000)},
		"deep":       {body: strings.Repeat("[", 60_000)},
		"port":       {body: `{"m.server": "fed.test:65536"}`},
		"IPv6":       {body: `{"m.server": "2001:db8::1"}`},
		"loop":       {status: 301, header: http.Header{"Location": {document}}},
		"http":       {status: 302, header: http.Header{"Location": {"http://example.test/x"}}},
		"nowhere":    {status: 302},
		"user":       {status: 302, header: http.Header{"Location": {"https://a:b@example.test/x"}}},
		"no URL":     {status: 302, header: http.Header{"Location": {"https://[/"}}},
		"other kind": {status: 302, header: http.Header{"Location": {"file:///etc/passwd"}}},
	} {
		delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
			s.put(document, p)
			for _, url := range []string{"http://example.test/x", "https://a:b@example.test/x", "file:///etc/passwd"} {
				s.put(url, page{body: `{"m.server": "evil.test"}`})
			}
			for range 2 {
				a, err := w.Resolve(t.Context(), example)
				require.NoError(t, err, name)
				assert.Equal(t, Name{"https", "example.test", 8448, "_matrix-fed._tcp _matrix._tcp"}, next.last())
				assert.Empty(t, a.Authority)
				assert.LessOrEqual(t, a.TTL, time.Hour)
			}
			assert.LessOrEqual(t, s.times(), 6, "redirects are bounded, failures are kept")
		})
	}
}

func TestMatrix_follows_redirects_to_https(t *testing.T) {
	delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
		s.put(document, page{status: 308, header: http.Header{"Location": {"../other#x"}}})
		s.put("https://example.test/.well-known/other", page{status: 302, header: http.Header{"Location": {"//cdn.test/server"}}})
		s.put("https://cdn.test/server", page{body: `{"m.server": "fed.test:1"}`})
		a, err := w.Resolve(t.Context(), example)
		require.NoError(t, err)
		assert.Equal(t, "fed.test:1", a.Authority)
		assert.Equal(t, 3, s.times())
	})
	delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
		w.MaxRedirects = -1
		s.put(document, page{status: 308, header: http.Header{"Location": {"/x"}}})
		_, err := w.Resolve(t.Context(), example)
		require.NoError(t, err)
		assert.Equal(t, 1, s.times())
	})
}

func TestMatrix_keeps_a_document_for_as_long_as_it_says_within_limits(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // that of a bubble
	for name, c := range map[string]struct {
		header http.Header
		kept   time.Duration
	}{
		"max-age":    {http.Header{"Cache-Control": {`private, Max-Age="7200"`}, "Expires": {"0"}}, 2 * time.Hour},
		"age":        {http.Header{"Cache-Control": {"max-age=7200"}, "Age": {"3600"}}, time.Hour},
		"old":        {http.Header{"Cache-Control": {"max-age=7200"}, "Age": {"99999"}}, 5 * time.Minute},
		"huge":       {http.Header{"Cache-Control": {"max-age=99999999999999999999999"}}, 48 * time.Hour},
		"no number":  {http.Header{"Cache-Control": {"max-age=x"}}, 5 * time.Minute},
		"no-store":   {http.Header{"Cache-Control": {"max-age=7200", "no-store"}}, 5 * time.Minute},
		"expires":    {http.Header{"Expires": {now.Add(3 * time.Hour).Format(http.TimeFormat)}}, 3 * time.Hour},
		"expires 0":  {http.Header{"Expires": {"0"}}, 5 * time.Minute},
		"nothing":    {nil, 24 * time.Hour},
		"no max-age": {http.Header{"Cache-Control": {"public"}}, 24 * time.Hour},
	} {
		delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
			s.put(document, page{header: c.header, body: `{"m.server": "fed.test"}`})
			a, err := w.Resolve(t.Context(), example)
			require.NoError(t, err)
			assert.Equal(t, c.kept, a.TTL, name)
			next.ttl = time.Minute
			a, err = w.Resolve(t.Context(), example)
			require.NoError(t, err)
			assert.Equal(t, time.Minute, a.TTL, "not longer than the addresses")
			assert.Equal(t, 1, s.times())
		})
	}
}

func TestMatrix_asks_once_at_a_time_and_holds_on_to_an_old_document(t *testing.T) {
	delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
		s.delay = time.Second
		s.put(document, page{body: `{"m.server": "fed.test:1"}`})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				a, err := w.Resolve(t.Context(), example)
				assert.NoError(t, err)
				assert.Equal(t, "fed.test:1", a.Authority)
			})
		}
		wg.Wait()
		assert.Equal(t, 1, s.times())

		time.Sleep(25 * time.Hour)
		s.put(document, page{status: 503})
		for range 5 {
			a, err := w.Resolve(t.Context(), example)
			require.NoError(t, err)
			assert.Equal(t, "fed.test:1", a.Authority)
			assert.LessOrEqual(t, a.TTL, 10*time.Minute)
		}
		assert.Equal(t, 2, s.times(), "a failure is kept")
		time.Sleep(48 * time.Hour)
		a, err := w.Resolve(t.Context(), example)
		require.NoError(t, err)
		assert.Empty(t, a.Authority, "not forever")

		s.put(document, page{body: `{"m.server": "new.test"}`})
		w.Forget("EXAMPLE.test")
		a, err = w.Resolve(t.Context(), example)
		require.NoError(t, err)
		assert.Equal(t, "new.test", a.Authority)
	})
}

func TestMatrix_ends_with_its_context_and_with_Close(t *testing.T) {
	delegated(t, func(t *testing.T, w *WellKnown, s *site, next *echo) {
		s.delay = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.Resolve(ctx, example)
		require.ErrorIs(t, err, Timeout)
		start := time.Now()
		a, err := w.Resolve(t.Context(), example)
		require.NoError(t, err)
		assert.Empty(t, a.Authority)
		assert.LessOrEqual(t, time.Since(start), 15*time.Second)

		go func() {
			time.Sleep(time.Second)
			w.Close()
		}()
		_, err = w.Resolve(t.Context(), Name{Host: "other.test"})
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestWellKnown_refuses_what_it_cannot_work_with(t *testing.T) {
	next, fetch := Literal, new(site).fetch
	for name, w := range map[string]*WellKnown{
		"nothing": {}, "no Next": Matrix(nil, fetch), "no Fetch": Matrix(next, nil), "path": {Next: next, Fetch: fetch, Parse: parseMatrix, Path: "x"},
		"limit": {Next: next, Fetch: fetch, Parse: parseMatrix, Path: "/x", MaxSize: -1},
	} {
		_, err := w.Resolve(t.Context(), example)
		require.Error(t, err, name)
		w.Forget("x")
		w.Close()
	}
}

func FuzzParseDelegation(f *testing.F) {
	for _, s := range []string{"fed.test:443", "[2001:db8::1]:1", "192.0.2.1", "a:b:c", "[::1", "x:0", "x:+1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDelegation(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("%q", err)
			}
			return
		}
		again, err := parseDelegation(d.String())
		if err != nil || again != d {
			t.Fatalf("%q: %v, then %v (%v)", s, d, again, err)
		}
		if strings.ContainsAny(d.String(), "\r\n /@?#") {
			t.Fatalf("%q", d)
		}
	})
}
