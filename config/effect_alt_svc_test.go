package config_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// origin is a server that names alternatives, and says who answers, the field Alt-Used
// and the body that came.
type origin struct {
	*testserver.Server
	url      string
	field    atomic.Pointer[string]
	requests atomic.Int32
}

func newOrigin(t *testing.T, field string) *origin {
	t.Helper()
	o := &origin{}
	o.field.Store(&field)
	o.Server = testserver.StartFunc(t, testserver.HTTPS1, func(w http.ResponseWriter, r *http.Request) {
		o.requests.Add(1)
		if f := *o.field.Load(); f != "" {
			w.Header().Set("Alt-Svc", f)
		}
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "origin %s %s", r.Header.Get("Alt-Used"), b)
	})
	o.url = "https://localhost:" + fmt.Sprint(o.Port())
	return o
}

// other is an alternative over HTTP/2.
func other(t *testing.T, options ...testserver.Option) *testserver.Server {
	t.Helper()
	return testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "other %s %s %s %s", r.Proto, r.Host, r.Header.Get("Alt-Used"), b)
	}, options...)
}

func altSvc(s *testserver.Server) string { return fmt.Sprintf(`h2=":%d"`, s.Port()) }

func TestAltSvc_goes_where_the_origin_says(t *testing.T) {
	o := newOrigin(t, "")
	b := other(t)
	field := altSvc(b)
	o.field.Store(&field)
	c := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""))
	assert.Equal(t, "origin  ", get(t, c, o.url))
	host := strings.TrimPrefix(o.url, "https://")
	want := fmt.Sprintf("other HTTP/2.0 %s localhost:%d ", host, b.Port())
	for range 3 {
		assert.Equal(t, want, get(t, c, o.url))
	}
	assert.Equal(t, 1, b.Accepted(), "one connection for all")
	resp, err := c.Post(o.url, "text/plain", strings.NewReader("body"))
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, want+"body", text)
	resp, err = c.SendAsync(mustRequest(t, o.url)).Result()
	require.NoError(t, err)
	text, err = resp.Text()
	require.NoError(t, err)
	assert.Equal(t, want, text)
	over, err := (&http.Client{Transport: c.Transport()}).Get(o.url)
	require.NoError(t, err)
	all, err := io.ReadAll(over.Body)
	require.NoError(t, err)
	require.NoError(t, over.Body.Close())
	assert.Equal(t, want, string(all))

	assert.Equal(t, "origin  ", get(t, newClient(t, config.CAFile(o.CAFile)), o.url), "off by default")
}

func TestAltSvc_is_not_used_where_it_may_not_be(t *testing.T) {
	b := other(t)
	o := newOrigin(t, altSvc(b))
	p := testserver.StartProxy(t, testserver.Proxy{})
	c := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""))
	get(t, c, o.url)
	for name, opt := range map[string]config.RequestOption{
		"a version":     config.HTTPVersion(config.HTTP11),
		"a proxy":       config.Proxy(p.Addr),
		"another place": config.ConnectTo(map[string]string{"": o.Addr}),
		"another name":  config.TLSServerName("localhost"),
		"no proof":      config.DangerAcceptInvalidCertificates(true),
		"no name":       config.DangerAcceptInvalidHostnames(true),
	} {
		assert.Equal(t, "origin  ", get(t, c, o.url, opt), name)
	}
	assert.Zero(t, b.Accepted())
	assert.NotEqual(t, "origin  ", get(t, c, o.url))
	none := ""
	o.field.Store(&none)
	get(t, c, o.url, config.HTTPVersion(config.HTTP11))
	assert.NotEqual(t, "origin  ", get(t, c, o.url), "no word is no change")
	clear := "clear"
	o.field.Store(&clear)
	get(t, c, o.url, config.HTTPVersion(config.HTTP11))
	assert.Equal(t, "origin  ", get(t, c, o.url))
}

func TestAltSvc_is_not_learned_from_whom_nobody_vouches_for(t *testing.T) {
	b := other(t)
	o := newOrigin(t, altSvc(b))
	c := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""))
	get(t, c, o.url, config.DangerAcceptInvalidCertificates(true))
	assert.Equal(t, "origin  ", get(t, c, o.url, config.FreshConnection()))
	assert.Zero(t, b.Accepted())
}

func TestAltSvc_that_fails_leads_back_to_the_origin(t *testing.T) {
	closed := other(t)
	closed.Close()
	wrong := other(t, testserver.WithCertificate(testserver.LocalAuthority(t).WrongHost(t)))
	foreign := other(t, testserver.WithCertificate(testserver.NewAuthority(t).Localhost(t)))
	unanswering := testserver.Unanswering(t)
	misdirected := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else 7.88.1 may lose the response
		w.WriteHeader(http.StatusMisdirectedRequest)
	})
	for name, c := range map[string]struct {
		field  string
		accept func() int
	}{
		"closed":        {altSvc(closed), nil},
		"another host":  {altSvc(wrong), wrong.Accepted},
		"unknown CA":    {altSvc(foreign), foreign.Accepted},
		"no answer":     {fmt.Sprintf(`h2="%s"`, unanswering), nil},
		"misdirected":   {altSvc(misdirected), misdirected.Accepted},
		"no such name":  {`h2="nobody.invalid:443"`, nil},
		"HTTP in clear": {fmt.Sprintf(`h2=":%d"`, testserver.Start(t, testserver.H1, testserver.Echo()).Port()), nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, c.field)
			client := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""), config.ConnectTimeout(time.Second))
			get(t, client, o.url)
			// A POST is as good: nobody has seen it.
			resp, err := client.Post(o.url, "text/plain", strings.NewReader("body"))
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			assert.Equal(t, "origin  body", text)
			if c.accept != nil {
				assert.NotZero(t, c.accept())
			}
			before := 0
			if c.accept != nil {
				before = c.accept()
			}
			assert.Equal(t, "origin  ", get(t, client, o.url))
			resp, err = client.SendAsync(mustRequest(t, o.url)).Result()
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			if c.accept != nil {
				assert.Equal(t, before, c.accept(), "it is left alone")
			}
			assert.EqualValues(t, 4, o.requests.Load())
		})
	}
}

func TestAltSvc_that_fails_does_so_for_bodies_that_stream_and_futures(t *testing.T) {
	closed := other(t)
	closed.Close()
	for _, async := range []bool{false, true} {
		o := newOrigin(t, altSvc(closed))
		c := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""))
		get(t, c, o.url)
		req, err := http.NewRequest(http.MethodPost, o.url, io.NopCloser(io.LimitReader(strings.NewReader("stream"), 100)))
		require.NoError(t, err)
		send := func() (*ratmom.Response, error) { return c.Send(req) }
		if async {
			send = func() (*ratmom.Response, error) { return c.SendAsync(req).Result() }
		}
		resp, err := send()
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err)
		assert.Equal(t, "origin  stream", text)
	}
}

func TestAltSvc_that_fails_after_it_was_reached_repeats_no_POST(t *testing.T) {
	var seen atomic.Int32
	broken := testserver.Frames(t, func(c *testserver.FrameConn) {
		if _, err := c.NextRequest(); err == nil {
			seen.Add(1)
		}
	}, testserver.WithTLS())
	o := newOrigin(t, fmt.Sprintf(`h2=":%d"`, broken.Port()))
	c := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""))
	get(t, c, o.url)
	_, err := c.Post(o.url, "text/plain", strings.NewReader("body"))
	require.Error(t, err)
	assert.EqualValues(t, 1, seen.Load())
	assert.EqualValues(t, 1, o.requests.Load())
	assert.Equal(t, "origin  ", get(t, c, o.url), "it is left alone")
}

func TestAltSvc_is_kept_in_its_file(t *testing.T) {
	b := other(t)
	o := newOrigin(t, altSvc(b)+"; ma=1000; persist=1")
	file := filepath.Join(t.TempDir(), "alt-svc")
	c, err := ratmom.New(config.CAFile(o.CAFile), config.AltSvc(file))
	require.NoError(t, err)
	get(t, c, o.url)
	require.NoError(t, c.Close())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Regexp(t, fmt.Sprintf(`(?m)^h1 localhost %d h2 localhost %d "\d{8} \d\d:\d\d:\d\d" 1 0$`, o.Port(), b.Port()), string(text))
	c = newClient(t, config.CAFile(o.CAFile), config.AltSvc(file))
	assert.Contains(t, get(t, c, o.url), "other")
	assert.EqualValues(t, 1, o.requests.Load())
}

func TestAltSvc_that_is_canceled_is_not_to_blame(t *testing.T) {
	silent := testserver.Start(t, testserver.H2, testserver.Silence())
	o := newOrigin(t, altSvc(silent))
	c := newClient(t, config.CAFile(o.CAFile), config.AltSvc(""))
	get(t, c, o.url)
	f := c.SendAsync(mustRequest(t, o.url))
	require.True(t, silent.WaitAccepted(1, 10*time.Second))
	f.Cancel()
	_, err := f.Result()
	require.True(t, errors.Is(err, ratmom.ErrCanceled), err)
	f = c.SendAsync(mustRequest(t, o.url))
	require.True(t, silent.WaitAccepted(1, 10*time.Second))
	f.Cancel()
	_, err = f.Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
	assert.EqualValues(t, 1, o.requests.Load())
}
