package auth

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

var secret = []byte("a secret")

func transcript() Transcript {
	return Transcript{Dialer: "a", Acceptor: "b", DialerNonce: Nonce{1}, AcceptorNonce: Nonce{2}, Binding: []byte("tls")}
}

func TestProof_is_accepted_from_who_knows_the_secret(t *testing.T) {
	tr := transcript()
	for _, role := range []Role{Dialer, Acceptor} {
		p := tr.Proof(secret, role)
		assert.NoError(t, tr.Check(secret, role, p[:]))
	}
}

func TestProof_holds_for_nothing_else(t *testing.T) {
	tr := transcript()
	p := tr.Proof(secret, Dialer)
	assert.Equal(t, ErrProof, tr.Check([]byte("a secreT"), Dialer, p[:]), "another secret")
	assert.Equal(t, ErrProof, tr.Check(secret, Acceptor, p[:]), "a reflected proof")
	assert.Equal(t, ErrProof, tr.Check(secret, Dialer, p[:31]), "a shortened proof")
	assert.Equal(t, ErrProof, tr.Check(secret, Dialer, append(p[:], 0)), "a longer proof")
	assert.Equal(t, ErrNoProof, tr.Check(secret, Dialer, nil))
	for name, change := range map[string]func(*Transcript){
		"another dialer":        func(t *Transcript) { t.Dialer = "c" },
		"another acceptor":      func(t *Transcript) { t.Acceptor = "c" },
		"exchanged names":       func(t *Transcript) { t.Dialer, t.Acceptor = t.Acceptor, t.Dialer },
		"names cut elsewhere":   func(t *Transcript) { t.Dialer, t.Acceptor = "ab", "" },
		"another nonce of one":  func(t *Transcript) { t.DialerNonce[31]++ },
		"another nonce of both": func(t *Transcript) { t.AcceptorNonce[31]++ },
		"another connection":    func(t *Transcript) { t.Binding = []byte("tlS") },
		"no TLS":                func(t *Transcript) { t.Binding = nil },
	} {
		other := transcript()
		change(&other)
		assert.Equal(t, ErrProof, other.Check(secret, Dialer, p[:]), name)
	}
}

// Another implementation can be checked against this.
func TestProof_is_that_of_the_specification(t *testing.T) {
	tr := Transcript{Dialer: "node-a", Acceptor: "node-b"}
	for i := range NonceLen {
		tr.DialerNonce[i], tr.AcceptorNonce[i] = byte(i), byte(0xff-i)
	}
	p := tr.Proof([]byte("secret"), Dialer)
	assert.Equal(t, "7f34e8e4e95dfaa04977989678b05d76034764ebc1037323a54a79df60e2eda9", hex.EncodeToString(p[:]))
}

func TestNewNonce_is_another_one_each_time(t *testing.T) {
	assert.NotEqual(t, NewNonce(), NewNonce())
}

// handshake gives the state of both ends of a TLS connection.
func handshake(t *testing.T, client, server *tls.Config) (ofClient, ofServer tls.ConnectionState) {
	t.Helper()
	a, b := net.Pipe()
	c, s := tls.Client(a, client), tls.Server(b, server)
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	require.NoError(t, c.Handshake())
	require.NoError(t, <-done)
	// A pipe has nobody to read what is said at its end.
	_, _ = a.Close(), b.Close()
	return c.ConnectionState(), s.ConnectionState()
}

func configs(t *testing.T) (client, server *tls.Config) {
	ca := testserver.NewAuthority(t)
	return &tls.Config{RootCAs: ca.Pool, ServerName: "node-b", Certificates: []tls.Certificate{ca.Client(t, "node-a").TLS}},
		&tls.Config{
			Certificates: []tls.Certificate{ca.Host(t, "node-b").TLS}, SessionTicketsDisabled: true,
			ClientCAs: ca.Pool, ClientAuth: tls.RequireAndVerifyClientCert,
		}
}

func TestBinding_is_the_same_at_both_ends_and_at_no_others(t *testing.T) {
	client, server := configs(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client.MaxVersion = version
		c, s := handshake(t, client, server)
		one, err := Binding(&c)
		require.NoError(t, err)
		assert.Len(t, one, bindingLen)
		two, err := Binding(&s)
		require.NoError(t, err)
		assert.Equal(t, one, two)
		c, _ = handshake(t, client, server)
		other, err := Binding(&c)
		require.NoError(t, err)
		assert.NotEqual(t, one, other)
	}
	none, err := Binding(nil)
	assert.NoError(t, err)
	assert.Empty(t, none)
}

func TestBinding_fails_where_TLS_has_no_keying_material_for_it(t *testing.T) {
	client, server := configs(t)
	client.MaxVersion = tls.VersionTLS12
	client.Renegotiation = tls.RenegotiateOnceAsClient
	c, _ := handshake(t, client, server)
	_, err := Binding(&c)
	assert.ErrorContains(t, err, "keying material")
}

func TestCertificate_must_be_verified_and_bear_the_name(t *testing.T) {
	client, server := configs(t)
	c, s := handshake(t, client, server)
	assert.NoError(t, Certificate(&c, "node-b"))
	assert.NoError(t, Certificate(&s, "node-a"))
	var wrong *NameError
	require.ErrorAs(t, Certificate(&s, "node-b"), &wrong)
	assert.Equal(t, NameError{"node-b", []string{"node-a"}}, *wrong)

	assert.Equal(t, ErrNoTLS, Certificate(nil, "node-b"))
	server.ClientAuth = tls.NoClientCert
	_, s = handshake(t, client, server)
	assert.Equal(t, ErrNoCertificate, Certificate(&s, "node-a"))
	server.ClientAuth = tls.RequireAnyClientCert
	_, s = handshake(t, client, server)
	assert.Equal(t, ErrUnverified, Certificate(&s, "node-a"))
	client.InsecureSkipVerify = true
	c, _ = handshake(t, client, server)
	assert.Equal(t, ErrUnverified, Certificate(&c, "node-b"))
}

func TestCertificate_matches_names_whole(t *testing.T) {
	dns := func(names ...string) *x509.Certificate { return &x509.Certificate{DNSNames: names} }
	common := &x509.Certificate{Subject: pkix.Name{CommonName: "node-a"}}
	commonAndMore := &x509.Certificate{Subject: pkix.Name{CommonName: "node-a"}, URIs: []*url.URL{{Host: "x"}}}
	addr := &x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1), net.ParseIP("fd00::1")}, DNSNames: []string{"10.0.0.2"}}
	for _, c := range []struct {
		cert *x509.Certificate
		name string
		want bool
	}{
		{dns("node-a", "node-b"), "node-b", true},
		{dns("Node-A.example"), "node-a.EXAMPLE", true},
		{dns("node-a"), "node-a:9000", true},
		{dns("node-a"), "node-aa", false},
		{dns("node-a"), "", false},
		{dns("node-a"), ":9000", false},
		{dns("*.example"), "a.example", false},
		{dns("*.example"), "*.example", false},
		{dns("node-b"), "node-a", false},
		{common, "node-a", true},
		{commonAndMore, "node-a", false},
		{addr, "10.0.0.1", true},
		{addr, "10.0.0.1:9000", true},
		{addr, "[fd00::1]:9000", true},
		{addr, "10.0.0.2", false},
		{addr, "10.0.0.3:9000", false},
	} {
		state := &tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{c.cert}, VerifiedChains: [][]*x509.Certificate{{c.cert}},
		}
		err := Certificate(state, c.name)
		assert.Equal(t, c.want, err == nil, "%q: %v", c.name, err)
	}
}
