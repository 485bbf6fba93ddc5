//go:build linux && !ratmom_poll

package cgo_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

const record = 16 << 10

func TestBody_over_TLS_is_whole_however_its_records_come(t *testing.T) {
	needsLP64(t)
	const size = 4 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(size))
		for seed := range uint64(4) {
			r := rand.New(rand.NewPCG(seed, 3))
			valve := testserver.NewValve(t, s.Addr, nil, func() int { return 1 << r.IntN(17) })
			d := newDriver(t)
			for range 2 {
				got, res := d.get("https://"+valve.Addr, overTLS(mode))
				require.Zero(t, res.Code, res.Text)
				require.Equal(t, pattern(t, size), got.body)
			}
		}
		assert.Equal(t, 4, s.Accepted())
	}, testserver.HTTPS1, testserver.H2)
}

func TestBody_over_TLS_is_read_in_few_calls(t *testing.T) {
	needsLP64(t)
	const size = 8 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(size))
		d := newDriver(t)
		// What has come while nothing was read is there at once.
		r := d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
			overTLS(mode)(r, setup, o)
			r.hold = true
		})
		d.until("it is held up", func() bool { return r.held.Len() >= 1<<20 })
		r.hold = false
		r.goOn()
		d.untilGood(r)
		stats := d.m.Stats()
		assert.Greater(t, stats.Heads, uint64(size/record/4))
		if cgo.Features().Version < 0x080000 { // later ones read a buffer full before they look
			assert.Greater(t, stats.Looks, uint64(size/record/8))
		}
	}, testserver.HTTPS1, testserver.H2)
}

// splitServer serves a body over TLS. Some bytes of one of its records come with the record before,
// and when more is closed the rest, or the end of the connection. It does so on its first
// connection only.
type splitServer struct {
	*httptest.Server
	conns atomic.Int32
	with  int // bytes
	whole bool
	more  chan struct{}
	over  <-chan struct{} // the test is
}

type splitListener struct {
	net.Listener
	s *splitServer
}

type splitConn struct {
	net.Conn
	s       *splitServer
	records int
	kept    []byte
}

func (l splitListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.s.conns.Add(1) == 1 {
		c = &splitConn{Conn: c, s: l.s}
	}
	return c, err
}

// Write is called with one record at a time.
func (c *splitConn) Write(b []byte) (int, error) {
	if len(b) < record {
		return c.Conn.Write(b)
	}
	c.records++
	switch c.records {
	case 4:
		c.kept = append(c.kept, b...)
		return len(b), nil
	case 5:
		if _, err := c.Conn.Write(append(c.kept, b[:c.s.with]...)); err != nil {
			return 0, err
		}
		select {
		case <-c.s.more:
		case <-c.s.over:
		}
		if !c.s.whole {
			_ = c.Close()
			return 0, net.ErrClosed
		}
		if _, err := c.Conn.Write(b[c.s.with:]); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	return c.Conn.Write(b)
}

const splitSize = 16 * record

func newSplitServer(t *testing.T, with int, whole bool) *splitServer {
	t.Helper()
	body := pattern(t, splitSize)
	s := &splitServer{with: with, whole: whole, more: make(chan struct{}), over: t.Context().Done()}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
	s.Listener = splitListener{s.Listener, s}
	s.TLS = &tls.Config{DynamicRecordSizingDisabled: true}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// untilSplit begins a request and waits until it has all that comes before the rest.
func (d *driver) untilSplit(s *splitServer) *run {
	d.t.Helper()
	r := d.begin(s.URL, overTLS(testserver.HTTPS1))
	d.until("the record before is there", func() bool { return len(r.body) >= 3*record && d.idle() })
	return r
}

func (d *driver) idle() bool { return len(d.adds) == 0 && !d.m.Busy() }

func TestBody_over_TLS_is_whole_if_a_part_of_a_record_comes_with_the_record_before(t *testing.T) {
	needsLP64(t)
	var empties uint64
	for with := range 8 {
		s := newSplitServer(t, with, true)
		d := newDriver(t)
		r := d.untilSplit(s)
		close(s.more)
		d.untilGood(r)
		assert.Equal(t, pattern(t, splitSize), r.body, "%d bytes", with)
		r, res := d.get(s.URL, overTLS(testserver.HTTPS1))
		require.Zero(t, res.Code, res.Text)
		assert.Equal(t, pattern(t, splitSize), r.body)
		assert.EqualValues(t, 1, s.conns.Load())
		empties += d.m.Stats().Empties
	}
	assert.Positive(t, empties)
}

// GnuTLS of 7.88.1 asks again and again within one call, until it may read.
func TestHandshake_goes_on_however_its_bytes_come(t *testing.T) {
	s := testserver.Start(t, testserver.HTTPS1, testserver.Blob(10))
	valve := testserver.NewValve(t, s.Addr, nil, func() int { return 1 })
	for range 10 {
		_, res := newDriver(t).get("https://"+valve.Addr, overTLS(testserver.HTTPS1))
		require.Zero(t, res.Code, res.Text)
	}
}

// largeCertificate makes a record behind which it is worth reading on.
func largeCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{CommonName: strings.Repeat("x", 3<<10)}, // twice in it: it is the issuer, too
	}
	der, err := x509.CreateCertificate(crand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestConnection_whose_certificate_is_refused_leaves_nothing_to_the_next_one(t *testing.T) {
	needsLP64(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{largeCertificate(t)}}
	s.StartTLS()
	t.Cleanup(s.Close)
	d := newDriver(t)
	_, res := d.get(s.URL, func(_ *run, setup *cgo.Setup, _ *cgo.Options) { setup.TLS = true })
	require.NotZero(t, res.Code)
	require.Positive(t, d.m.Stats().Heads, "that of the record behind the certificate")
	_, res = d.get(s.URL, overTLS(testserver.HTTPS1))
	require.Zero(t, res.Code, res.Text)
}

func TestBody_over_TLS_that_ends_within_a_record_fails(t *testing.T) {
	needsLP64(t)
	for with := range 8 {
		s := newSplitServer(t, with, false)
		d := newDriver(t)
		r := d.untilSplit(s)
		close(s.more)
		res := d.finish(r)
		assert.NotZero(t, res.Code, "%d bytes", with)
		r, res = d.get(s.URL, overTLS(testserver.HTTPS1))
		require.Zero(t, res.Code, res.Text)
		assert.Equal(t, pattern(t, splitSize), r.body)
	}
}

func TestConnection_over_TLS_that_is_given_up_within_a_record_leaves_nothing_to_the_next_one(t *testing.T) {
	needsLP64(t)
	for with := range 8 {
		s := newSplitServer(t, with, false)
		d := newDriver(t)
		d.cancel(d.untilSplit(s))
		r, res := d.get(s.URL, overTLS(testserver.HTTPS1))
		require.Zero(t, res.Code, res.Text)
		assert.Equal(t, pattern(t, splitSize), r.body)
		close(s.more)
	}
}

// goOn reads what is held, and has more come.
func (r *run) goOn() {
	r.drain()
	if r.RecvPaused() {
		r.d.m.Unpause(r.Transfer, true, false)
	}
}

func TestBody_over_TLS_is_whole_if_its_reader_stops_again_and_again(t *testing.T) {
	needsLP64(t)
	const size = 4 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, testserver.Blob(size))
		d := newDriver(t)
		r := d.begin(s.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
			overTLS(mode)(r, setup, o)
			setup.HighWater = 2 * record
			r.hold = true
		})
		for len(r.body) < size {
			d.until("there is some", func() bool { return r.done || r.held.Len() > 0 })
			r.goOn()
		}
		d.untilGood(r)
		assert.Equal(t, pattern(t, size), r.body)
	}, testserver.HTTPS1, testserver.H2)
}
