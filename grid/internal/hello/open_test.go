package hello

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/internal/auth"
	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/ws"
	"github.com/ratmom/ratmom/internal/testserver"
)

const (
	protocol = "ratmom.grid.1"
	patience = 30 * time.Second
)

var (
	secret = []byte("the secret of all")
	nodeA  = Local{Name: "node-a", Instance: Instance{1}}
	nodeB  = Local{Name: "node-b", Instance: Instance{2}}
)

func with(l Local, secret []byte) Local {
	l.Secret = secret
	return l
}

// connect gives both ends of a WebSocket, with the state of their TLS in it if there is any.
func connect(t testing.TB, client, server *tls.Config) (dialer, acceptor *ws.Conn, ofDialer, ofAcceptor *tls.ConnectionState) {
	t.Helper()
	conns := make(chan *ws.Conn, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(w, r, protocol, time.Now().Add(patience))
		if err == nil {
			ofAcceptor = r.TLS
			conns <- c
		}
	}))
	if server != nil {
		s.TLS = server
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	nc, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	if client != nil {
		c := tls.Client(nc, client)
		require.NoError(t, c.Handshake())
		state := c.ConnectionState()
		nc, ofDialer = c, &state
	}
	t.Cleanup(func() { _ = nc.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dialer, err = ws.Client(ctx, nc, ws.Handshake{Host: "a", Subprotocol: protocol})
	require.NoError(t, err)
	acceptor = <-conns
	t.Cleanup(func() { _ = acceptor.Close() })
	for _, c := range []*ws.Conn{dialer, acceptor} {
		require.NoError(t, c.NetConn().SetDeadline(time.Now().Add(patience)))
	}
	return dialer, acceptor, ofDialer, ofAcceptor
}

type outcome struct {
	peer Peer
	err  error
}

func admit(Peer) ([]byte, error) { return []byte("of the acceptor"), nil }

// accepting is the acceptor's side at work.
func accepting(c *ws.Conn, l Local, admit func(Peer) ([]byte, error)) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		p, err := Accept(c, l, admit)
		out <- outcome{p, err}
	}()
	return out
}

// open is a session opened between two sides, the acceptor of which is node-b to the dialer.
func open(t testing.TB, dialer, acceptor Local) (ofDialer, ofAcceptor outcome) {
	t.Helper()
	d, a, _, _ := connect(t, nil, nil)
	out := accepting(a, acceptor, admit)
	p, err := Dial(d, dialer, "node-b", []byte("of the dialer"))
	ofAcceptor = <-out
	if err == nil && ofAcceptor.err == nil {
		require.NoError(t, d.WriteMessage(net.Buffers{make([]byte, 3*maxMessage)}), "the session has limits of its own")
		_, err := a.Next()
		require.NoError(t, err)
	}
	return outcome{p, err}, ofAcceptor
}

func TestOpen_tells_each_side_who_the_other_is(t *testing.T) {
	for name, secret := range map[string][]byte{"no secret": nil, "a secret": secret} {
		d, a := open(t, with(nodeA, secret), with(nodeB, secret))
		require.NoError(t, d.err, name)
		require.NoError(t, a.err, name)
		assert.Equal(t, Peer{"node-b", Instance{2}, Version, []byte("of the acceptor")}, d.peer)
		assert.Equal(t, Peer{"node-a", Instance{1}, Version, []byte("of the dialer")}, a.peer)
	}
}

func TestOpen_is_refused_with_a_reason_at_both_ends(t *testing.T) {
	itself := nodeB
	itself.Name = "node-a"
	for _, c := range []struct {
		name             string
		dialer, acceptor Local
		byDialer         bool
		code             uint16
		why              string
	}{
		{"another secret", with(nodeA, []byte("a guess")), with(nodeB, secret), false, NotProven, "proof of the shared secret is wrong"},
		{"no secret at the dialer", nodeA, with(nodeB, secret), false, NotProven, "required"},
		{"no secret at the acceptor", with(nodeA, secret), nodeB, true, NotProven, "required"},
		{"another server than was dialled", nodeA, Local{Name: "node-c", Instance: Instance{3}}, true, UnknownPeer, `"node-b" was expected, and not "node-c"`},
		{"itself", itself, nodeB, true, Self, "itself"},
		{"a name that no server may have", Local{Name: "a\nb", Instance: Instance{1}}, nodeB, false, Malformed, "malformed HELLO"},
		{"no certificate to look at", nodeA, Local{Name: "node-b", CertificateNames: true}, false, NoCertificate, "TLS"},
		{"none of the acceptor", Local{Name: "node-a", CertificateNames: true}, nodeB, true, NoCertificate, "TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, a := open(t, c.dialer, c.acceptor)
			if c.byDialer && a.err == nil {
				// The acceptor had said all it had to say. The session reads what ended it.
				assertRefusal(t, d.err, c.code, c.why, false)
				return
			}
			assertRefusal(t, d.err, c.code, c.why, !c.byDialer)
			assertRefusal(t, a.err, c.code, c.why, c.byDialer)
			for _, err := range []error{d.err, a.err} {
				assert.NotContains(t, err.Error(), string(secret))
				assert.NotContains(t, err.Error(), "a guess")
			}
		})
	}
}

func assertRefusal(t testing.TB, err error, code uint16, why string, remote bool) {
	t.Helper()
	var r *Refusal
	require.ErrorAs(t, err, &r)
	assert.Equal(t, code, r.Code)
	assert.Contains(t, r.Error(), why)
	assert.Equal(t, remote, r.Remote)
}

func TestAccept_asks_whether_to_admit_who_has_proved_it_alone(t *testing.T) {
	d, a, _, _ := connect(t, nil, nil)
	out := accepting(a, with(nodeB, secret), func(p Peer) ([]byte, error) {
		return nil, refused(UnknownPeer, "%q is not known here", p.Name)
	})
	_, err := Dial(d, with(nodeA, secret), "node-b", nil)
	assertRefusal(t, err, UnknownPeer, `"node-a" is not known here`, true)
	assertRefusal(t, (<-out).err, UnknownPeer, `"node-a" is not known here`, false)

	d, a, _, _ = connect(t, nil, nil)
	out = accepting(a, with(nodeB, secret), func(Peer) ([]byte, error) {
		t.Error("asked for one that has proved nothing")
		return nil, nil
	})
	_, err = Dial(d, with(nodeA, []byte("x")), "node-b", nil)
	assert.Error(t, err)
	assert.Error(t, (<-out).err)
}

// hand is a side that is played by hand.
type hand struct {
	t testing.TB
	c *ws.Conn
}

func (h hand) receive(typ frame.Type) (m message) {
	h.t.Helper()
	require.NoError(h.t, m.receive(h.c, typ, 0))
	return m
}

func (h hand) send(typ frame.Type, m message) {
	h.t.Helper()
	require.NoError(h.t, m.send(h.c, typ))
}

// refusal is what the other side says in place of its message.
func (h hand) refusal() error {
	var m message
	return m.receive(h.c, frame.Nop, 0)
}

func TestAccept_takes_no_proof_twice(t *testing.T) {
	d, a, _, _ := connect(t, nil, nil)
	out := accepting(a, with(nodeB, secret), admit)
	good := hand{t, d}
	challenge := good.receive(frame.Hello)
	ours := message{
		has: has(tagVersions, tagName, tagInstance, tagNonce, tagParams, tagProof), min: 1, max: 1,
		name: "node-a", instance: Instance{1}, nonce: auth.NewNonce(),
	}
	tr := auth.Transcript{Dialer: "node-a", Acceptor: "node-b", DialerNonce: ours.nonce, AcceptorNonce: challenge.nonce}
	proof := tr.Proof(secret, auth.Dialer)
	ours.proof = proof[:]
	good.send(frame.Hello, ours)
	good.receive(frame.Welcome)
	require.NoError(t, (<-out).err)

	// The same bytes on another connection.
	d, a, _, _ = connect(t, nil, nil)
	out = accepting(a, with(nodeB, secret), admit)
	replay := hand{t, d}
	replay.receive(frame.Hello)
	replay.send(frame.Hello, ours)
	assertRefusal(t, replay.refusal(), NotProven, "wrong", true)
	assertRefusal(t, (<-out).err, NotProven, "wrong", false)
}

func TestDial_takes_no_proof_that_is_its_own(t *testing.T) {
	d, a, _, _ := connect(t, nil, nil)
	out := make(chan outcome, 1)
	go func() {
		p, err := Dial(d, with(nodeA, secret), "node-b", nil)
		out <- outcome{p, err}
	}()
	mirror := hand{t, a}
	mirror.send(frame.Hello, message{
		has: has(tagVersions, tagName, tagInstance, tagNonce), min: 1, max: 1, name: "node-b", instance: Instance{9}, nonce: auth.NewNonce(),
	})
	theirs := mirror.receive(frame.Hello)
	mirror.send(frame.Welcome, message{has: has(tagParams, tagProof), proof: theirs.proof})
	assertRefusal(t, (<-out).err, NotProven, "wrong", false)
	assertRefusal(t, mirror.refusal(), NotProven, "wrong", true)
}

// Somebody between two TLS connections, whose certificate was not looked at, passes all on.
func TestOpen_notices_that_somebody_is_between_by_TLS(t *testing.T) {
	ca := testserver.LocalAuthority(t)
	client := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // that is the case
	server := func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{ca.Host(t, "x").TLS}} }

	d, a, ofD, ofA := connect(t, client, server())
	ofDialer, ofAcceptor := with(nodeA, secret), with(nodeB, secret)
	ofDialer.TLS, ofAcceptor.TLS = ofD, ofA
	out := accepting(a, ofAcceptor, admit)
	_, err := Dial(d, ofDialer, "node-b", nil)
	require.NoError(t, err, "nobody is between")
	require.NoError(t, (<-out).err)

	d, between, ofD, _ := connect(t, client, server())
	onward, a, _, ofA := connect(t, client, server())
	ofDialer.TLS, ofAcceptor.TLS = ofD, ofA
	out = accepting(a, ofAcceptor, admit)
	dialled := make(chan error, 1)
	go func() {
		_, err := Dial(d, ofDialer, "node-b", nil)
		dialled <- err
	}()
	hand{t, between}.send(frame.Hello, hand{t, onward}.receive(frame.Hello))
	hand{t, onward}.send(frame.Hello, hand{t, between}.receive(frame.Hello))
	assertRefusal(t, (<-out).err, NotProven, "wrong", false)
	_ = between.Close()
	require.Error(t, <-dialled)
}

func TestOpen_asks_for_certificates_of_the_names_on_both_sides(t *testing.T) {
	ca := testserver.LocalAuthority(t)
	client := func(name string) *tls.Config {
		return &tls.Config{RootCAs: ca.Pool, ServerName: "node-b", Certificates: []tls.Certificate{ca.Client(t, name).TLS}}
	}
	server := func() *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{ca.Host(t, "node-b", "node-x").TLS},
			ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool,
		}
	}
	run := func(clientName, acceptorName string, dial string) (error, error) {
		d, a, ofD, ofA := connect(t, client(clientName), server())
		acceptor := Local{Name: acceptorName, Instance: Instance{2}, CertificateNames: true, TLS: ofA}
		out := accepting(a, acceptor, admit)
		_, err := Dial(d, Local{Name: "node-a", Instance: Instance{1}, CertificateNames: true, TLS: ofD}, dial, nil)
		return err, (<-out).err
	}
	ofDialer, ofAcceptor := run("node-a", "node-b", "node-b")
	assert.NoError(t, ofDialer)
	assert.NoError(t, ofAcceptor)

	ofDialer, ofAcceptor = run("node-c", "node-b", "node-b")
	assertRefusal(t, ofDialer, NoCertificate, `not that of "node-a" but of ["node-c"]`, true)
	assertRefusal(t, ofAcceptor, NoCertificate, `not that of "node-a" but of ["node-c"]`, false)

	ofDialer, ofAcceptor = run("node-a", "node-c", "node-c")
	assertRefusal(t, ofDialer, NoCertificate, `not that of "node-c" but of ["node-b" "node-x"]`, false)
	assertRefusal(t, ofAcceptor, NoCertificate, `not that of "node-c"`, true)
}

func TestOpen_finds_a_version_that_both_speak(t *testing.T) {
	hello := message{
		has: has(tagVersions, tagName, tagInstance, tagNonce, tagParams), min: 1, max: 3, name: "node-a", instance: Instance{1},
	}
	d, a, _, _ := connect(t, nil, nil)
	out := accepting(a, nodeB, admit)
	hand{t, d}.receive(frame.Hello)
	hand{t, d}.send(frame.Hello, hello)
	hand{t, d}.receive(frame.Welcome)
	require.NoError(t, (<-out).err)

	d, a, _, _ = connect(t, nil, nil)
	out = accepting(a, nodeB, admit)
	hand{t, d}.receive(frame.Hello)
	hello.min = 2
	hand{t, d}.send(frame.Hello, hello)
	assertRefusal(t, (<-out).err, NoVersion, "version 1 is spoken here, and 2 to 3 there", false)
	assertRefusal(t, hand{t, d}.refusal(), NoVersion, "2 to 3", true)

	d, a, _, _ = connect(t, nil, nil)
	hello.name = "node-b"
	hand{t, a}.send(frame.Hello, hello)
	_, err := Dial(d, nodeA, "node-b", nil)
	assertRefusal(t, err, NoVersion, "2 to 3", false)
}

func TestOpen_ends_with_the_deadline_when_the_other_side_is_silent(t *testing.T) {
	past := time.Now().Add(10 * time.Millisecond)
	d, _, _, _ := connect(t, nil, nil)
	require.NoError(t, d.NetConn().SetDeadline(past))
	_, err := Dial(d, nodeA, "node-b", nil)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)

	_, a, _, _ := connect(t, nil, nil)
	require.NoError(t, a.NetConn().SetDeadline(past))
	_, err = Accept(a, nodeB, admit)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)

	// It speaks, and then no more.
	d, a, _, _ = connect(t, nil, nil)
	hand{t, a}.send(frame.Hello, message{
		has: has(tagVersions, tagName, tagInstance, tagNonce), min: 1, max: 1, name: "node-b", instance: Instance{2},
	})
	require.NoError(t, d.NetConn().SetDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = Dial(d, nodeA, "node-b", nil)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestAccept_reads_nothing_long_from_who_has_proved_nothing(t *testing.T) {
	announced := append([]byte{0x82, 0x80 | 127}, binary.BigEndian.AppendUint64(nil, 64<<30)...)
	announced = append(announced, 0, 0, 0, 0)
	for name, hostile := range map[string][]byte{
		"64 GiB in 14 bytes": announced,
		"one byte too much":  {0x82, 0x80 | 126, maxMessage >> 8, maxMessage&0xff + 1, 0, 0, 0, 0},
		"in fragments": append(append([]byte{0x02, 0x80 | 126, 4, 0, 0, 0, 0, 0}, make([]byte, 1024)...),
			0x80, 0x80|126, 4, 1, 0, 0, 0, 0),
	} {
		d, a, _, _ := connect(t, nil, nil)
		out := accepting(a, nodeB, admit)
		hand{t, d}.receive(frame.Hello)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := d.NetConn().Write(hostile)
		require.NoError(t, err)
		assert.Equal(t, ws.ErrTooBig, (<-out).err, name)
		runtime.ReadMemStats(&after)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10))
		_, err = d.Next()
		assert.Equal(t, &ws.CloseError{Code: ws.CloseTooBig}, err)
	}
}

func TestReceive_refuses_what_is_no_opening_message(t *testing.T) {
	good := message{
		has: has(tagVersions, tagName, tagInstance, tagNonce, tagParams), min: 1, max: 1, name: "node-a", instance: Instance{1},
	}
	frameOf := func(h frame.Header, payload []byte) []byte {
		h.Length = len(payload)
		return append(h.Append(nil), payload...)
	}
	twice := good.append(good.append(nil))
	for name, sent := range map[string][]byte{
		"nothing":         {},
		"half a header":   {1, 0, 0},
		"another frame":   frameOf(frame.Header{Type: frame.Call, ID: 1}, good.append(nil)),
		"an id":           frameOf(frame.Header{Type: frame.Hello, ID: 1}, good.append(nil)),
		"a flag":          frameOf(frame.Header{Type: frame.Hello, Flags: frame.More}, good.append(nil)),
		"two frames":      append(frameOf(frame.Header{Type: frame.Hello}, good.append(nil)), frameOf(frame.Header{Type: frame.Ping}, nil)...),
		"no field":        frameOf(frame.Header{Type: frame.Hello}, nil),
		"half a field":    frameOf(frame.Header{Type: frame.Hello}, good.append(nil)[:20]),
		"each twice":      frameOf(frame.Header{Type: frame.Hello}, twice),
		"versions upside": frameOf(frame.Header{Type: frame.Hello}, append([]byte{1, 0, 2, 3, 1}, good.append(nil)[5:]...)),
	} {
		d, a, _, _ := connect(t, nil, nil)
		out := accepting(a, nodeB, admit)
		hand{t, d}.receive(frame.Hello)
		require.NoError(t, d.WriteMessage(net.Buffers{sent}))
		got := <-out
		var r *Refusal
		require.True(t, errors.As(got.err, &r), "%s: %v", name, got.err)
		assert.EqualValues(t, Malformed, r.Code, name)
		assertRefusal(t, hand{t, d}.refusal(), Malformed, "", true)
	}
}

func TestReceive_passes_over_fields_it_does_not_know(t *testing.T) {
	m := message{has: has(tagName), name: "x"}
	b := m.append([]byte{200, 0, 3, 1, 2, 3, 0, 0, 0})
	var got message
	require.NoError(t, got.parse(b))
	assert.Equal(t, m, got)
}

func TestRefusal_is_told_short_and_clean(t *testing.T) {
	d, a, _, _ := connect(t, nil, nil)
	long := strings.Repeat("ä", maxReason)
	out := accepting(a, nodeB, func(Peer) ([]byte, error) { return nil, refused(UnknownPeer, "%s", long) })
	_, err := Dial(d, nodeA, "node-b", nil)
	assertRefusal(t, err, UnknownPeer, strings.Repeat("ä", maxReason/2), true)
	assert.LessOrEqual(t, len(err.Error()), maxReason+50)
	<-out

	words := "a\x1b[31m\n\xffb\u0085"
	r := parseRefusal(frame.Header{Type: frame.Goaway, Flags: frame.Err, Code: Self}, append([]byte{0, 0, 0, 0, byte(len(words))}, words...))
	assert.Equal(t, &Refusal{Code: Self, Reason: "a[31mb", Remote: true}, r)
	r = parseRefusal(frame.Header{Type: frame.Goaway, Flags: frame.Err}, []byte("abc"))
	assert.EqualValues(t, Malformed, r.Code)
	assert.False(t, r.Remote)
}

func TestAccept_gives_other_errors_of_admitting_to_its_caller_alone(t *testing.T) {
	d, a, _, _ := connect(t, nil, nil)
	mine := errors.New("mine")
	out := accepting(a, nodeB, func(Peer) ([]byte, error) { return nil, mine })
	dialled := make(chan error, 1)
	go func() {
		_, err := Dial(d, nodeA, "node-b", nil)
		dialled <- err
	}()
	assert.Equal(t, mine, (<-out).err)
	require.NoError(t, a.Close())
	assert.ErrorIs(t, <-dialled, io.ErrUnexpectedEOF)
}

func FuzzMessage(f *testing.F) {
	f.Add((&message{
		has: has(tagVersions, tagName, tagInstance, tagNonce, tagProof, tagParams), min: 1, max: 2,
		name: "node-a", proof: make([]byte, auth.ProofLen), params: []byte("p"),
	}).append(nil))
	f.Add([]byte{1, 0, 2, 3, 1})
	f.Add([]byte{200, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again message
		if m.parse(b) != nil {
			return
		}
		require.NoError(t, again.parse(m.append(nil)))
		require.Equal(t, m, again)
	})
}
