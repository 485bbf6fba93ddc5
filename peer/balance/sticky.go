package balance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Sticky takes the endpoint whose [Sticky.Token] is the request's key, so that a session
// stays where it began: the key is that of a cookie ([ByCookie]), and whoever answers the
// client sets it to the token of the endpoint that was picked. If no endpoint that may be
// used has the token, Policy picks.
type Sticky struct {
	// Policy picks for requests that name no endpoint. nil is PeakEWMA.
	Policy Policy

	// Secret keeps addresses from those who see the tokens. All processes that shall know
	// each other's tokens need the same, and it must not change while the Sticky is in
	// use.
	Secret []byte

	otherwise PeakEWMA
}

// token is an endpoint's, with what it was made of.
type token struct {
	by   *Sticky
	of   string
	text string
}

// Token is what the endpoint is called in a cookie: 32 hexadecimal digits, the first half
// of HMAC-SHA256 of its name.
func (p *Sticky) Token(e *Endpoint) string {
	if name := e.name(); e.token.by != p || e.token.of != name {
		mac := hmac.New(sha256.New, p.Secret)
		mac.Write([]byte(name))
		e.token = token{by: p, of: name, text: hex.EncodeToString(mac.Sum(nil)[:16])}
	}
	return e.token.text
}

// Pick implements [Policy].
func (p *Sticky) Pick(eps []*Endpoint, key Key, now time.Time) int {
	if key != "" {
		for i, e := range eps {
			if p.Token(e) == string(key) {
				return i
			}
		}
	}
	if p.Policy == nil {
		return p.otherwise.Pick(eps, key, now)
	}
	return p.Policy.Pick(eps, key, now)
}

// Update implements [Updater].
func (p *Sticky) Update(all []*Endpoint) { update(p.Policy, all) }
