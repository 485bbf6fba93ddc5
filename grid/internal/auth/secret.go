package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes in bytes.
const (
	NonceLen = 32
	ProofLen = sha256.Size

	bindingLen = 32
)

// Nonce is used for one handshake.
type Nonce [NonceLen]byte

// NewNonce makes a random one.
func NewNonce() (n Nonce) {
	_, _ = rand.Read(n[:]) // it never fails
	return n
}

// Role is a side of a connection.
type Role byte

// The roles.
const (
	Dialer   Role = 'D'
	Acceptor Role = 'A'
)

// Why a proof is not accepted.
var (
	ErrProof   = errors.New("the proof of the shared secret is wrong")
	ErrNoProof = errors.New("a proof of the shared secret is required")
)

// Transcript is what both sides know of one handshake.
type Transcript struct {
	Dialer, Acceptor           string // names
	DialerNonce, AcceptorNonce Nonce
	Binding                    []byte // of the TLS connection; empty without TLS
}

// proofLabel begins what is hashed, so that a secret that serves for something else too is in no danger.
const proofLabel = "ratmom.grid.1 proof"

// Proof is what a role shows that knows the secret.
func (t *Transcript) Proof(secret []byte, of Role) [ProofLen]byte {
	mac := hmac.New(sha256.New, secret)
	field := func(b []byte) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(b)))
		mac.Write(n[:])
		mac.Write(b)
	}
	field([]byte(proofLabel))
	field([]byte{byte(of)})
	field(t.DialerNonce[:])
	field(t.AcceptorNonce[:])
	field([]byte(t.Dialer))
	field([]byte(t.Acceptor))
	field(t.Binding)
	var p [ProofLen]byte
	mac.Sum(p[:0])
	return p
}

// Check says whether proof is that of a role that knows the secret: ErrNoProof if there is none,
// ErrProof if it is wrong. It takes the same time for every wrong proof.
func (t *Transcript) Check(secret []byte, of Role, proof []byte) error {
	if len(proof) == 0 {
		return ErrNoProof
	}
	want := t.Proof(secret, of)
	if !hmac.Equal(want[:], proof) {
		return ErrProof
	}
	return nil
}

// bindingLabel names the keying material; that of RFC 9266 is for mechanisms of SASL.
const bindingLabel = "EXPORTER-ratmom-grid-1"

// Binding is what only the two ends of a TLS connection know of it; nil without TLS. It needs TLS 1.3,
// or TLS 1.2 with the extended master secret (RFC 7627).
func Binding(state *tls.ConnectionState) ([]byte, error) {
	if state == nil {
		return nil, nil
	}
	b, err := state.ExportKeyingMaterial(bindingLabel, nil, bindingLen)
	if err != nil {
		return nil, fmt.Errorf("the TLS connection has no keying material to bind the proof to: %w", err)
	}
	return b, nil
}
