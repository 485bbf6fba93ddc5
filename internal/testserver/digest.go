package testserver

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Digest lets requests with User and Password by Digest (RFC 7616) through to a
// handler and answers all others with 401 and a challenge. The zero value is MD5
// with qop=auth and nonces that last for ever.
type Digest struct {
	Algorithm string // MD5, SHA-256, SHA-512-256, or one of them with -sess; "" is MD5
	QOP       string // auth, auth-int, "auth,auth-int"; "" is auth, "none" is RFC 2069
	UserHash  bool   // ask for the user's name as a hash
	OneUse    bool   // every nonce is good once; then it is stale
}

// Handler asks for credentials as a server does.
func (d Digest) Handler(next http.Handler) http.Handler { return d.handler(serverAsks, next) }

func (d Digest) handler(a asker, next http.Handler) http.Handler {
	if d.Algorithm == "" {
		d.Algorithm = "MD5"
	}
	if d.QOP == "" {
		d.QOP = "auth"
	}
	g := &digestGuard{Digest: d, asker: a, nonces: map[string]map[string]bool{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, ok := a.given(r, "Digest")
		if !ok {
			g.challenge(w, false)
			return
		}
		body, err := io.ReadAll(r.Body) // auth-int takes its hash
		if err != nil {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		good, stale := g.check(r, parseParameters(sent), body)
		if !good {
			g.challenge(w, stale)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type digestGuard struct {
	Digest
	asker
	mu     sync.Mutex
	nonces map[string]map[string]bool // the counts that were used
}

const opaque = "d2Ugd2FudCBpdCBiYWNr"

func (g *digestGuard) challenge(w http.ResponseWriter, stale bool) {
	nonce := rand.Text()
	g.mu.Lock()
	g.nonces[nonce] = map[string]bool{}
	g.mu.Unlock()
	c := fmt.Sprintf("Digest realm=%q, nonce=%q, algorithm=%s, opaque=%q", realm, nonce, g.Algorithm, opaque)
	if g.QOP != "none" {
		c += fmt.Sprintf(", qop=%q", g.QOP)
	}
	if g.UserHash {
		c += ", userhash=true"
	}
	if stale {
		c += ", stale=true"
	}
	g.ask(w, c)
}

func (g *digestGuard) check(r *http.Request, p map[string]string, body []byte) (good, stale bool) {
	if p["response"] != g.response(r, p, body) || !g.names(p) || p["opaque"] != opaque {
		return false, false
	}
	// A request to a proxy may be in absolute form and name the path alone.
	if p["uri"] != r.RequestURI && p["uri"] != r.URL.RequestURI() {
		return false, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	counts, known := g.nonces[p["nonce"]]
	if !known || counts[p["nc"]] && g.QOP != "none" || g.OneUse && len(counts) > 0 {
		return false, true
	}
	counts[p["nc"]] = true
	return true, false
}

// names checks the fields that must come back as they were sent.
func (g *digestGuard) names(p map[string]string) bool {
	user := User
	if g.UserHash {
		user = g.hex([]byte(User + ":" + realm))
	}
	if p["userhash"] == "true" != g.UserHash || p["username"] != user || p["realm"] != realm {
		return false
	}
	if g.QOP == "none" {
		return p["qop"] == ""
	}
	return strings.Contains(","+g.QOP+",", ","+p["qop"]+",") && len(p["nc"]) == 8 && p["cnonce"] != ""
}

// response is what the client must have sent.
func (g *digestGuard) response(r *http.Request, p map[string]string, body []byte) string {
	a1 := g.hex([]byte(User + ":" + realm + ":" + Password))
	if strings.HasSuffix(g.Algorithm, "-sess") {
		a1 = g.hex([]byte(a1 + ":" + p["nonce"] + ":" + p["cnonce"]))
	}
	a2 := r.Method + ":" + p["uri"]
	if p["qop"] == "auth-int" {
		a2 += ":" + g.hex(body)
	}
	parts := []string{a1, p["nonce"]}
	if p["qop"] != "" {
		parts = append(parts, p["nc"], p["cnonce"], p["qop"])
	}
	return g.hex([]byte(strings.Join(append(parts, g.hex([]byte(a2))), ":")))
}

func (g *digestGuard) hex(b []byte) string {
	var h hash.Hash
	switch strings.TrimSuffix(g.Algorithm, "-sess") {
	case "SHA-256":
		h = sha256.New()
	case "SHA-512-256":
		h = sha512.New512_256()
	default:
		h = md5.New()
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// parseParameters reads name=value, name="value" with backslashes, and commas.
func parseParameters(s string) map[string]string {
	p := map[string]string{}
	for s != "" {
		name, rest, ok := strings.Cut(strings.TrimLeft(s, " ,"), "=")
		if !ok {
			break
		}
		var value strings.Builder
		quoted := strings.HasPrefix(rest, `"`)
		i := 0
		if quoted {
			i = 1
		}
		for ; i < len(rest); i++ {
			if quoted && rest[i] == '\\' && i+1 < len(rest) {
				i++
			} else if quoted && rest[i] == '"' {
				i++
				break
			} else if !quoted && (rest[i] == ',' || rest[i] == ' ') {
				break
			}
			value.WriteByte(rest[i])
		}
		p[strings.ToLower(name)] = value.String()
		s = rest[i:]
	}
	return p
}
