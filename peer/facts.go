package peer

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// Facts are what has been learned of a peer.
type Facts struct {
	// Software is what the peer calls itself in the Server field.
	Software string
	// Protocol is that of the last response: "HTTP/1.1", "HTTP/2.0".
	Protocol string
	// Fingerprint is the SHA-256 of the server's certificate in hexadecimal, where
	// config.CertificateChain is on.
	Fingerprint string
	// RTT is the round-trip time that the kernel measured as the last connection was made;
	// 0 if it is not known.
	RTT time.Duration
	// MaxStreams is how many requests an HTTP/2 connection was found to take at once;
	// 0 if the limit was not met.
	MaxStreams int
}

// maxFact is how much of what a server says of itself is kept, in bytes.
const maxFact = 128

// Facts returns what is known of the peer.
func (p *Peer) Facts() (f Facts) {
	p.look(func(time.Time) {
		f = *p.facts.Load()
		f.MaxStreams = p.s.streams
	})
	return f
}

// learn notes what a response tells. Most tell what is known: they need no lock.
func (p *Peer) learn(resp *http.Response) {
	software := ""
	if s := resp.Header["Server"]; len(s) > 0 {
		software = s[0][:min(len(s[0]), maxFact)]
	}
	f := p.facts.Load()
	bare := resp.TLS == nil || len(resp.TLS.PeerCertificates) == 0
	if bare && f.Protocol == resp.Proto && (software == "" || f.Software == software) {
		return
	}
	p.learnMore(resp, software)
}

func (p *Peer) learnMore(resp *http.Response, software string) {
	told := Facts{Protocol: resp.Proto, Software: software}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		sum := sha256.Sum256(resp.TLS.PeerCertificates[0].Raw)
		told.Fingerprint = hex.EncodeToString(sum[:])
	}
	if f := p.facts.Load(); f.with(told) == *f {
		return
	}
	p.mu.Lock()
	defer p.unlock()
	news := p.facts.Load().with(told) // what others have told meanwhile stays
	p.facts.Store(&news)
}

// with is f with what a response has told.
func (f Facts) with(told Facts) Facts {
	f.Protocol = told.Protocol
	if told.Software != "" {
		f.Software = told.Software
	}
	if told.Fingerprint != "" {
		f.Fingerprint = told.Fingerprint
	}
	return f
}
