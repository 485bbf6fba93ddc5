//go:build linux && !ratmom_poll

package cgo_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// needsOpenSSL skips a test of what comes between libcurl and OpenSSL.
func needsOpenSSL(t *testing.T) {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" || !cgo.Features().Backend("OpenSSL") {
		t.Skip("rebind.c does not know the processor, or libcurl has another TLS library")
	}
}

// anew has a connection of its own, which trusts the authorities in a file.
func anew(caFile string, more ...func(*run, *cgo.Setup, *cgo.Options)) func(*run, *cgo.Setup, *cgo.Options) {
	return func(r *run, setup *cgo.Setup, o *cgo.Options) {
		setup.TLS = true
		o.Long(cgo.OptFreshConnect, 1)
		o.Long(cgo.OptForbidReuse, 1)
		o.String(cgo.OptCAInfo, caFile)
		o.Null(cgo.OptCAPath) // libcurl keeps the authorities only without
		for _, f := range more {
			f(r, setup, o)
		}
	}
}

// presents has the client show a certificate.
func presents(t *testing.T, c *testserver.Certificate) func(*run, *cgo.Setup, *cgo.Options) {
	cert, key := c.Files(t)
	return func(_ *run, _ *cgo.Setup, o *cgo.Options) {
		o.String(cgo.OptSSLCert, cert)
		o.String(cgo.OptSSLKey, key)
	}
}

// holding keeps requests for /hold until the channel is closed, or they are given up.
func holding(held <-chan struct{}, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		handler.ServeHTTP(w, r)
	})
}

// good does one request.
func (d *driver) good(url string, more func(*run, *cgo.Setup, *cgo.Options)) *run {
	d.t.Helper()
	r, res := d.get(url, more)
	require.Zero(d.t, res.Code, res.Text)
	return r
}

func TestConnections_of_one_configuration_share_what_OpenSSL_makes_for_it(t *testing.T) {
	needsOpenSSL(t)
	s := testserver.StartFunc(t, testserver.HTTPS1, func(http.ResponseWriter, *http.Request) {}, testserver.WithoutTickets())
	for _, caches := range []bool{true, false} {
		d := newDriver(t)
		const n = 6
		for range n {
			d.good(s.URL, anew(s.CAFile, func(_ *run, _ *cgo.Setup, o *cgo.Options) {
				if !caches {
					o.Long(cgo.OptCACacheTimeout, 0)
				}
			}))
		}
		shared := uint64(0)
		if caches { // the first loads the authorities, the second is the first that has them from libcurl
			shared = n - 2
		}
		stats := d.m.Stats()
		assert.Equal(t, shared, stats.Contexts, "kept: %v", caches)
		assert.Positive(t, stats.Certs)
	}
}

func TestCertificate_of_a_client_is_shown_for_the_requests_that_have_it_alone(t *testing.T) {
	needsOpenSSL(t)
	mine := testserver.NewAuthority(t)
	held := make(chan struct{})
	s := testserver.Start(t, testserver.HTTPS1, holding(held, testserver.Who()), testserver.AsksWho())
	as := presents(t, mine.Client(t, "somebody"))
	d := newDriver(t)
	for range 3 {
		assert.Equal(t, "nobody", string(d.good(s.URL, anew(s.CAFile)).body))
	}
	require.Positive(t, d.m.Stats().Contexts)
	// Both run at once, whichever began first.
	holds := d.begin(s.URL+"/hold", anew(s.CAFile))
	for range 3 {
		assert.Equal(t, "somebody", string(d.good(s.URL, anew(s.CAFile, as)).body))
		assert.Equal(t, "nobody", string(d.good(s.URL, anew(s.CAFile)).body))
	}
	others := []*run{d.begin(s.URL+"/hold", anew(s.CAFile, as)), d.begin(s.URL+"/hold", anew(s.CAFile))}
	for range 3 {
		assert.Equal(t, "nobody", string(d.good(s.URL, anew(s.CAFile)).body))
		assert.Equal(t, "somebody", string(d.good(s.URL, anew(s.CAFile, as)).body))
	}
	close(held)
	for i, name := range []string{"nobody", "somebody", "nobody"} {
		r := append([]*run{holds}, others...)[i]
		d.untilGood(r)
		assert.Equal(t, name, string(r.body))
	}
}

// libcurl sets these only if there are any.
func TestCiphers_are_those_of_the_configuration_that_connects(t *testing.T) {
	needsOpenSSL(t)
	const chacha = "TLS_CHACHA20_POLY1305_SHA256"
	s := testserver.StartFunc(t, testserver.HTTPS1, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, tls.CipherSuiteName(r.TLS.CipherSuite))
	}, testserver.WithoutTickets())
	d := newDriver(t)
	for range 2 {
		for range 3 {
			assert.NotEqual(t, chacha, string(d.good(s.URL, anew(s.CAFile)).body))
		}
		for range 3 {
			r := d.good(s.URL, anew(s.CAFile, func(_ *run, _ *cgo.Setup, o *cgo.Options) { o.String(cgo.OptTLS13Ciphers, chacha) }))
			assert.Equal(t, chacha, string(r.body))
		}
	}
	assert.Positive(t, d.m.Stats().Contexts)
}

func TestRequests_that_speak_TLS_in_several_ways_share_it_again_when_one_way_is_left(t *testing.T) {
	needsOpenSSL(t)
	held := make(chan struct{})
	s := testserver.Start(t, testserver.HTTPS1, holding(held, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	d := newDriver(t)
	first := d.begin(s.URL, anew(s.CAFile, func(_ *run, _ *cgo.Setup, o *cgo.Options) {
		o.Long(cgo.OptSSLVersion, 6) // CURL_SSLVERSION_TLSv1_2
	}))
	holds := d.begin(s.URL+"/hold", anew(s.CAFile)) // so that there is always one
	d.untilGood(first)
	for range 6 {
		d.good(s.URL, anew(s.CAFile))
	}
	assert.Positive(t, d.m.Stats().Contexts)
	close(held)
	d.untilGood(holds)
}

// What the file no longer has is not trusted when libcurl has read it again.
func TestAuthority_that_is_taken_out_of_the_file_is_trusted_no_longer_than_libcurl_keeps_it(t *testing.T) {
	needsOpenSSL(t)
	s := testserver.StartFunc(t, testserver.HTTPS1, func(http.ResponseWriter, *http.Request) {},
		testserver.WithoutTickets())
	file := testserver.NewAuthority(t).File(t)
	other, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(append([]byte{}, s.CAPEM...), other...), 0o600))
	on := anew(file, func(_ *run, _ *cgo.Setup, o *cgo.Options) { o.Long(cgo.OptCACacheTimeout, 2) })
	d := newDriver(t)
	for begin := time.Now(); d.m.Stats().Contexts == 0 && time.Since(begin) < patience; { // three in that time
		d.good(s.URL, on)
	}
	require.Positive(t, d.m.Stats().Contexts)
	require.NoError(t, os.WriteFile(file, other, 0o600))
	var res cgo.Result
	for begin := time.Now(); res.Code == 0 && time.Since(begin) < patience; {
		_, res = d.get(s.URL, on)
	}
	require.NotZero(t, res.Code, "it is trusted still")
	for range 3 {
		_, res = d.get(s.URL, on)
		assert.NotZero(t, res.Code)
	}
	require.NoError(t, os.WriteFile(file, s.CAPEM, 0o600))
	for begin := time.Now(); res.Code != 0 && time.Since(begin) < patience; {
		_, res = d.get(s.URL, on)
	}
	assert.Zero(t, res.Code, res.Text)
}

// The log's callback has the connection that it is of, which is gone when the next one is made: valgrind
// sees it read.
func TestLog_is_of_the_connections_of_the_requests_that_want_it(t *testing.T) {
	needsOpenSSL(t)
	s := testserver.StartFunc(t, testserver.HTTPS1, func(http.ResponseWriter, *http.Request) {})
	d := newDriver(t)
	for range 6 {
		r := d.begin(s.URL, anew(s.CAFile, func(r *run, setup *cgo.Setup, o *cgo.Options) {
			setup.Debug = true
			o.Long(cgo.OptVerbose, 1)
		}))
		d.until("it has ended", func() bool { return r.done })
		log := string(r.TakeDebug())
		require.Zero(t, r.Result().Code)
		d.pool.Put(r.Transfer)
		assert.Contains(t, log, "TLS handshake")
		d.good(s.URL, anew(s.CAFile))
	}
	assert.Positive(t, d.m.Stats().Contexts)
}

func TestCertificates_that_are_known_are_not_parsed_again(t *testing.T) {
	needsOpenSSL(t)
	root := testserver.NewAuthority(t)
	sub := root.Sub(t)
	file := root.File(t)
	d := newDriver(t)
	var known []uint64
	urls := make([]string, 100) // more than are kept
	for i := range urls {
		cert := sub.Localhost(t)
		sub.Chain(cert)
		urls[i] = testserver.StartFunc(t, testserver.HTTPS1, func(http.ResponseWriter, *http.Request) {},
			testserver.WithCertificate(cert), testserver.WithoutTickets()).URL
	}
	for range 2 {
		for _, url := range urls {
			d.good(url, anew(file))
		}
		known = append(known, d.m.Stats().Certs)
	}
	assert.GreaterOrEqual(t, known[0], uint64(len(urls)-10), "that of the authority between")
	assert.GreaterOrEqual(t, known[1], known[0]+uint64(len(urls)))
}
