package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"github.com/ratmom/ratmom/internal/testserver"
)

const patience = 20 * time.Second

// put writes a certificate over the files.
func put(t testing.TB, f Files, c *testserver.Certificate) {
	t.Helper()
	require.NoError(t, os.WriteFile(f.Cert, c.CertPEM, 0o644))
	require.NoError(t, os.WriteFile(f.Key, c.KeyPEM, 0o600))
}

// files are files for a certificate.
func files(t testing.TB, c *testserver.Certificate) Files {
	t.Helper()
	dir := t.TempDir()
	f := Files{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	put(t, f, c)
	return f
}

func serial(c *testserver.Certificate) string { return c.TLS.Leaf.SerialNumber.Text(16) }

func load(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Load(c)
	require.NoError(t, err)
	return s
}

// handshake gives what a client sees that asks for a name.
func handshake(s *Store, client *tls.Config) (tls.ConnectionState, error) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go func() {
		server := tls.Server(b, s.TLSConfig(nil))
		_ = server.Handshake()
	}()
	client.InsecureSkipVerify = true
	c := tls.Client(a, client)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := c.HandshakeContext(ctx)
	return c.ConnectionState(), err
}

// served is the serial number of the certificate for a name.
func served(t testing.TB, s *Store, name string) string {
	t.Helper()
	state, err := handshake(s, &tls.Config{ServerName: name})
	require.NoError(t, err)
	return state.PeerCertificates[0].SerialNumber.Text(16)
}

func TestStore_serves_the_certificate_of_the_name_that_is_asked_for(t *testing.T) {
	a := testserver.LocalAuthority(t)
	first, second, wild, deep := a.Host(t, "first.test"), a.Host(t, "second.test", "Third.TEST"), a.Host(t, "*.wild.test"), a.Host(t, "exact.wild.test")
	s := load(t, Config{Files: []Files{files(t, first), files(t, second), files(t, wild), files(t, deep)}})
	for name, want := range map[string]*testserver.Certificate{
		"": first, "first.test": first, "second.test": second, "SECOND.test": second, "second.test.": second, "third.test": second,
		"a.wild.test": wild, "exact.wild.test": deep, "a.b.wild.test": first, "wild.test": first, "unknown.test": first, "test": first,
	} {
		assert.Equal(t, serial(want), served(t, s, name), "%q", name)
	}
	s.config.Strict = true
	_, err := handshake(s, &tls.Config{ServerName: "unknown.test"})
	assert.ErrorContains(t, err, "unrecognized name")
	assert.Equal(t, serial(first), served(t, s, ""))
	assert.Equal(t, serial(second), served(t, s, "second.test"))
}

func TestStore_serves_a_certificate_whose_key_the_client_can_use(t *testing.T) {
	a := testserver.LocalAuthority(t)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(384), DNSNames: []string{"a.test"}, NotAfter: time.Now().Add(time.Hour),
	}, &x509.Certificate{}, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	p384 := &testserver.Certificate{
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	p256 := a.Host(t, "a.test")
	s := load(t, Config{Files: []Files{files(t, p384), files(t, p256)}})
	for curve, want := range map[tls.CurveID]string{tls.CurveP256: serial(p256), tls.CurveP384: "180"} {
		for _, name := range []string{"a.test", "unknown.test", ""} {
			state, err := handshake(s, &tls.Config{ServerName: name, MaxVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{curve}})
			require.NoError(t, err)
			assert.Equal(t, want, state.PeerCertificates[0].SerialNumber.Text(16), "%q", name)
		}
	}
}

func TestReload_takes_new_certificates_while_connections_are_made(t *testing.T) {
	a := testserver.LocalAuthority(t)
	old, fresh := a.Host(t, "a.test"), a.Host(t, "a.test")
	f := files(t, old)
	s := load(t, Config{Files: []Files{f}})
	var seen sync.Map
	var count atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				state, err := handshake(s, &tls.Config{ServerName: "a.test"})
				if assert.NoError(t, err) {
					seen.Store(state.PeerCertificates[0].SerialNumber.Text(16), true)
				}
				count.Add(1)
			}
		})
	}
	for i := range 20 {
		put(t, f, []*testserver.Certificate{fresh, old}[i%2])
		require.NoError(t, s.Reload())
		from := count.Load()
		require.Eventually(t, func() bool { return count.Load() > from+4 }, patience, time.Millisecond)
	}
	close(stop)
	wg.Wait()
	n := 0
	seen.Range(func(k, _ any) bool {
		n++
		assert.Contains(t, []string{serial(old), serial(fresh)}, k)
		return true
	})
	assert.Equal(t, 2, n)
}

func TestReload_keeps_what_it_has_when_the_files_are_broken(t *testing.T) {
	a := testserver.LocalAuthority(t)
	good, fresh := a.Host(t, "a.test"), a.Host(t, "a.test")
	neighbour := a.Host(t, "b.test")
	ended := a.Issue(t, func(c *x509.Certificate) {
		c.DNSNames, c.NotBefore, c.NotAfter = []string{"a.test"}, time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	future := a.Issue(t, func(c *x509.Certificate) { c.DNSNames, c.NotBefore = []string{"a.test"}, time.Now().Add(time.Hour) })
	for name, c := range map[string]struct {
		spoil func(f Files)
		want  string
	}{
		"certificate gone":      {func(f Files) { require.NoError(t, os.Remove(f.Cert)) }, "not there"},
		"key gone":              {func(f Files) { require.NoError(t, os.Remove(f.Key)) }, "not there"},
		"empty":                 {func(f Files) { require.NoError(t, os.Truncate(f.Cert, 0)) }, "empty"},
		"half":                  {func(f Files) { require.NoError(t, os.Truncate(f.Cert, 100)) }, "PEM"},
		"endless":               {func(f Files) { require.NoError(t, os.Truncate(f.Cert, 1<<40)) }, "longer than"},
		"a folder":              {func(f Files) { _ = os.Remove(f.Cert); require.NoError(t, os.Mkdir(f.Cert, 0o700)) }, "not a regular file"},
		"the key of another":    {func(f Files) { require.NoError(t, os.WriteFile(f.Cert, fresh.CertPEM, 0o600)) }, "does not match"},
		"its time is over":      {func(f Files) { put(t, f, ended) }, "ended at"},
		"its time has not come": {func(f Files) { put(t, f, future) }, "begins at"},
	} {
		t.Run(name, func(t *testing.T) {
			f, other := files(t, good), files(t, neighbour)
			s := load(t, Config{Files: []Files{f, other}})
			c.spoil(f)
			later := a.Host(t, "b.test")
			put(t, other, later)
			err := s.Reload()
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, f.Cert)
			assert.Equal(t, serial(good), served(t, s, "a.test"))
			assert.Equal(t, serial(later), served(t, s, "b.test"), "the others are taken")
			status := s.Status()
			assert.ErrorContains(t, status[0].Err, c.want)
			assert.NoError(t, status[1].Err)

			_ = os.Remove(f.Cert)
			put(t, f, fresh)
			require.NoError(t, s.Reload())
			assert.Equal(t, serial(fresh), served(t, s, "a.test"))
			assert.NoError(t, s.Status()[0].Err)
		})
	}
}

func TestLoad_wants_all_to_be_good(t *testing.T) {
	a := testserver.LocalAuthority(t)
	_, err := Load(Config{})
	assert.ErrorContains(t, err, "Files is empty")
	good := files(t, a.Host(t, "a.test"))
	_, err = Load(Config{Files: []Files{good, {Cert: "/does/not/exist", Key: good.Key}}})
	assert.ErrorContains(t, err, "/does/not/exist")
	// A certificate that has ended is better than none, and is replaced by any other.
	ended := a.Expired(t)
	f := files(t, ended)
	s := load(t, Config{Files: []Files{f}})
	put(t, f, a.Expired(t))
	assert.NoError(t, s.Reload())
}

func TestStatus_says_when_certificates_end(t *testing.T) {
	a := testserver.LocalAuthority(t)
	long := a.Host(t, "long.test")
	short := a.Issue(t, func(c *x509.Certificate) {
		c.DNSNames, c.NotAfter = []string{"short.test", "s.test"}, time.Now().Add(time.Hour)
	})
	s := load(t, Config{Files: []Files{files(t, long), files(t, short)}})
	assert.Equal(t, short.TLS.Leaf.NotAfter, s.Expires())
	status := s.Status()
	assert.Equal(t, []string{"short.test", "s.test"}, status[1].Names)
	assert.Equal(t, serial(short), status[1].Serial)
	assert.Equal(t, short.TLS.Leaf.NotBefore, status[1].NotBefore)
	assert.Equal(t, long.TLS.Leaf.NotAfter, status[0].NotAfter)
	assert.False(t, status[0].Stapled)
	assert.WithinDuration(t, time.Now(), status[0].Loaded, time.Minute)
}

func TestStore_staples_what_the_authority_says(t *testing.T) {
	a := testserver.LocalAuthority(t)
	cert, revoked, other := a.Host(t, "a.test"), a.Host(t, "a.test"), a.Host(t, "a.test")
	f := files(t, cert)
	f.OCSP = filepath.Join(filepath.Dir(f.Cert), "ocsp.der")
	s := load(t, Config{Files: []Files{f}})
	stapled := func() []byte {
		state, err := handshake(s, &tls.Config{ServerName: "a.test"})
		require.NoError(t, err)
		return state.OCSPResponse
	}
	assert.Nil(t, stapled(), "there is no file yet")

	a.Staple(t, cert, ocsp.Good)
	require.NoError(t, os.WriteFile(f.OCSP, cert.TLS.OCSPStaple, 0o600))
	require.NoError(t, s.Reload())
	assert.Equal(t, cert.TLS.OCSPStaple, stapled())
	status := s.Status()[0]
	assert.True(t, status.Stapled)
	assert.WithinDuration(t, time.Now().Add(24*time.Hour), status.StapledUntil, time.Minute)

	// A bad answer leaves the one that is there.
	a.Staple(t, revoked, ocsp.Revoked)
	a.Staple(t, other, ocsp.Good)
	for _, bad := range [][]byte{[]byte("garbage"), revoked.TLS.OCSPStaple, other.TLS.OCSPStaple} {
		require.NoError(t, os.WriteFile(f.OCSP, bad, 0o600))
		require.ErrorContains(t, s.Reload(), "OCSP")
		require.ErrorContains(t, s.Reload(), "OCSP", "and again")
		assert.Equal(t, cert.TLS.OCSPStaple, stapled())
	}
	// A new certificate does not get that of the old one.
	put(t, f, revoked)
	require.NoError(t, os.WriteFile(f.OCSP, revoked.TLS.OCSPStaple, 0o600))
	assert.ErrorContains(t, s.Reload(), "revoked")
	assert.Equal(t, serial(revoked), served(t, s, "a.test"))
	assert.Nil(t, stapled())
	put(t, f, cert)
	require.NoError(t, os.WriteFile(f.OCSP, cert.TLS.OCSPStaple, 0o600))
	require.NoError(t, s.Reload())
	assert.NotNil(t, stapled())
	require.NoError(t, os.Remove(f.OCSP))
	require.NoError(t, s.Reload())
	assert.Nil(t, stapled())
}

func TestStore_leaves_a_staple_out_when_its_time_is_over(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := testserver.NewAuthority(t)
		cert := a.Host(t, "a.test")
		a.Staple(t, cert, ocsp.Good)
		f := files(t, cert)
		f.OCSP = f.Cert + ".ocsp"
		require.NoError(t, os.WriteFile(f.OCSP, cert.TLS.OCSPStaple, 0o600))
		s := load(t, Config{Files: []Files{f}})
		hello := &tls.ClientHelloInfo{ServerName: "a.test"}
		c, err := s.GetCertificate(hello)
		require.NoError(t, err)
		assert.NotNil(t, c.OCSPStaple)
		time.Sleep(25 * time.Hour)
		c, err = s.GetCertificate(hello)
		require.NoError(t, err)
		assert.Nil(t, c.OCSPStaple)
		assert.False(t, s.Status()[0].Stapled)
	})
}

func TestWatch_reads_in_its_interval_and_reports_each_fault_once(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := testserver.NewAuthority(t)
		old, fresh := a.Host(t, "a.test"), a.Host(t, "a.test")
		f := files(t, old)
		var reports []error
		s := load(t, Config{Files: []Files{f}, Report: func(err error) { reports = append(reports, err) }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Watch(ctx, time.Minute); close(done) }()
		hour := func() {
			time.Sleep(time.Hour)
			synctest.Wait()
		}
		hour()
		assert.Empty(t, reports)

		require.NoError(t, os.WriteFile(f.Cert, fresh.CertPEM, 0o600))
		hour()
		assert.Len(t, reports, 1, "the key is another's")
		assert.Equal(t, serial(old), s.Status()[0].Serial)
		require.NoError(t, os.WriteFile(f.Key, fresh.KeyPEM, 0o600))
		hour()
		assert.Len(t, reports, 1)
		assert.Equal(t, serial(fresh), s.Status()[0].Serial)

		require.NoError(t, os.Remove(f.Key))
		hour()
		assert.Len(t, reports, 2)
		cancel()
		<-done
	})
}

func TestWatch_reads_at_a_signal(t *testing.T) {
	a := testserver.LocalAuthority(t)
	old, fresh := a.Host(t, "a.test"), a.Host(t, "a.test")
	f := files(t, old)
	reports := make(chan error, 10)
	s := load(t, Config{Files: []Files{f}, Report: func(err error) { reports <- err }})
	// The signal must not end the test before Watch listens.
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, syscall.SIGHUP)
	defer signal.Stop(guard)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Watch(ctx, 0, syscall.SIGHUP); close(done) }()
	put(t, f, fresh)
	require.Eventually(t, func() bool {
		assert.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		return s.Status()[0].Serial == serial(fresh)
	}, patience, 5*time.Millisecond)
	require.NoError(t, os.Remove(f.Cert))
	for range 2 { // each signal is answered
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		assert.ErrorContains(t, <-reports, "not there")
	}
	cancel()
	<-done
}

func TestTLSConfig_keeps_the_rest_of_its_base(t *testing.T) {
	s := load(t, Config{Files: []Files{files(t, testserver.LocalAuthority(t).Host(t, "a.test"))}})
	base := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{}}}
	c := s.TLSConfig(base)
	assert.EqualValues(t, tls.VersionTLS13, c.MinVersion)
	assert.Empty(t, c.Certificates)
	assert.Len(t, base.Certificates, 1)
}
