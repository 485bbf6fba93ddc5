package hello

import (
	"crypto/tls"
	"errors"

	"github.com/ratmom/ratmom/grid/internal/auth"
	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// Local is this side of a connection.
type Local struct {
	Name     string
	Instance Instance

	// Secret must be known to both sides; empty: nothing is proved by it.
	Secret []byte
	// CertificateNames asks for a certificate of the other side's name.
	CertificateNames bool
	// TLS is the state of the connection; nil without TLS.
	TLS *tls.ConnectionState
}

// Peer is the other side, once it is proved.
type Peer struct {
	Name     string
	Instance Instance
	Version  byte
	Params   []byte // what it said of the session to come
}

// Dial opens a session with the server that should bear the name peer, from the side that dialled.
// params are told to it. Deadlines are the caller's to set, and so it is to close c after an error,
// which is a *Refusal if one side is not content with the other. The other side has been told then.
func Dial(c *ws.Conn, l Local, peer string, params []byte) (Peer, error) {
	p, err := l.dial(c, peer, params)
	return p, l.failed(c, err)
}

// Accept opens a session from the side that was dialled. Once the peer is proved, admit is asked,
// and gives the parameters that it is told, or why it is refused, best as a *Refusal.
func Accept(c *ws.Conn, l Local, admit func(Peer) (params []byte, err error)) (Peer, error) {
	p, err := l.accept(c, admit)
	return p, l.failed(c, err)
}

// failed tells the other side why, and restores the limit of messages.
func (l *Local) failed(c *ws.Conn, err error) error {
	c.SetLimit(ws.DefaultLimit)
	var r *Refusal
	var bad *ws.ProtocolError
	switch {
	case errors.As(err, &r):
		r.tell(c)
	case errors.As(err, &bad):
		_ = c.WriteClose(bad.Code, "")
	}
	return err
}

func (l *Local) dial(c *ws.Conn, peer string, params []byte) (Peer, error) {
	c.SetLimit(maxMessage)
	binding, err := l.binding()
	if err != nil {
		return Peer{}, err
	}
	var theirs message
	if err := theirs.receive(c, frame.Hello, has(tagVersions, tagName, tagInstance, tagNonce)); err != nil {
		return Peer{}, err
	}
	if theirs.min > Version || theirs.max < Version {
		return Peer{}, refused(NoVersion, "version %d is spoken here, and %d to %d there", Version, theirs.min, theirs.max)
	}
	if theirs.name != peer {
		return Peer{}, refused(UnknownPeer, "%q was expected, and not %q", peer, theirs.name)
	}
	if err := l.others(theirs.instance, peer); err != nil {
		return Peer{}, err
	}
	ours := message{
		has: has(tagVersions, tagName, tagInstance, tagNonce, tagParams),
		min: Version, max: Version,
		name: l.Name, instance: l.Instance, nonce: auth.NewNonce(), params: params,
	}
	t := auth.Transcript{
		Dialer: l.Name, Acceptor: peer, DialerNonce: ours.nonce, AcceptorNonce: theirs.nonce, Binding: binding,
	}
	if len(l.Secret) > 0 {
		proof := t.Proof(l.Secret, auth.Dialer)
		ours.has, ours.proof = ours.has|has(tagProof), proof[:]
	}
	if err := ours.send(c, frame.Hello); err != nil {
		return Peer{}, err
	}
	var welcome message
	if err := welcome.receive(c, frame.Welcome, has(tagParams)); err != nil {
		return Peer{}, err
	}
	if err := l.proved(&t, auth.Acceptor, welcome.proof); err != nil {
		return Peer{}, err
	}
	return Peer{peer, theirs.instance, Version, welcome.params}, nil
}

func (l *Local) accept(c *ws.Conn, admit func(Peer) ([]byte, error)) (Peer, error) {
	c.SetLimit(maxMessage)
	binding, err := l.binding()
	if err != nil {
		return Peer{}, err
	}
	ours := message{
		has: has(tagVersions, tagName, tagInstance, tagNonce),
		min: Version, max: Version,
		name: l.Name, instance: l.Instance, nonce: auth.NewNonce(),
	}
	if err := ours.send(c, frame.Hello); err != nil {
		return Peer{}, err
	}
	var theirs message
	err = theirs.receive(c, frame.Hello, has(tagVersions, tagName, tagInstance, tagNonce, tagParams))
	if err != nil {
		return Peer{}, err
	}
	if theirs.min > Version || theirs.max < Version {
		return Peer{}, refused(NoVersion, "version %d is spoken here, and %d to %d there", Version, theirs.min, theirs.max)
	}
	t := auth.Transcript{
		Dialer: theirs.name, Acceptor: l.Name, DialerNonce: theirs.nonce, AcceptorNonce: ours.nonce, Binding: binding,
	}
	if err := l.proved(&t, auth.Dialer, theirs.proof); err != nil {
		return Peer{}, err
	}
	if err := l.others(theirs.instance, theirs.name); err != nil {
		return Peer{}, err
	}
	p := Peer{theirs.name, theirs.instance, Version, theirs.params}
	params, err := admit(p)
	if err != nil {
		return Peer{}, err
	}
	welcome := message{has: has(tagParams), params: params}
	if len(l.Secret) > 0 {
		proof := t.Proof(l.Secret, auth.Acceptor)
		welcome.has, welcome.proof = welcome.has|has(tagProof), proof[:]
	}
	return p, welcome.send(c, frame.Welcome)
}

// binding ties proofs to the TLS connection.
func (l *Local) binding() ([]byte, error) {
	if len(l.Secret) == 0 {
		return nil, nil
	}
	b, err := auth.Binding(l.TLS)
	if err != nil {
		return nil, refused(NotProven, "%v", err)
	}
	return b, nil
}

// others says whether the other side is another one, and has a certificate that says so if it must.
func (l *Local) others(instance Instance, name string) error {
	if instance == l.Instance {
		return refused(Self, "this is %q itself", l.Name)
	}
	if l.CertificateNames {
		if err := auth.Certificate(l.TLS, name); err != nil {
			return refused(NoCertificate, "%v", err)
		}
	}
	return nil
}

func (l *Local) proved(t *auth.Transcript, of auth.Role, proof []byte) error {
	if len(l.Secret) == 0 {
		return nil
	}
	if err := t.Check(l.Secret, of, proof); err != nil {
		return refused(NotProven, "%v", err)
	}
	return nil
}
