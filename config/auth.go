package config

import "github.com/ratmom/ratmom/cgo"

// BasicAuth sends user and password with the request, readable by whoever sees it
// (RFC 7617). Use it with https.
//
// Here and with the other ...Auth options: the last of them counts; they are not
// used for the target of a redirect to another origin; the request's own
// Authorization header wins over BasicAuth. Neither name nor password may have
// control characters, and the name of Basic no colon. CURLOPT_HTTPAUTH,
// CURLOPT_USERNAME, CURLOPT_PASSWORD.
func BasicAuth(user, password string) Option { return withAuth(AuthBasic, user, password) }

// DigestAuth answers a server's challenge by a digest of the password (RFC 7616).
// It takes an additional round, in which a request body is not sent.
func DigestAuth(user, password string) Option { return withAuth(AuthDigest, user, password) }

// NTLMAuth authenticates the connection by NTLM, over HTTP/1.1. The name can be
// written "DOMAIN\user". It needs a libcurl with NTLM.
func NTLMAuth(user, password string) Option { return withAuth(AuthNTLM, user, password) }

// AnyAuth asks the server which way it wants and takes the safest of NTLM,
// Digest and Basic, as far as libcurl has them. A server that asks for Basic is
// given the password.
func AnyAuth(user, password string) Option { return withAuth(anyAuth(), user, password) }

// NoAuth switches off what the client has of the other ...Auth options.
func NoAuth() Option { return both(auth{}) }

func withAuth(a AuthScheme, user, password string) Option {
	return both(auth{credentials{a, user, password}})
}

// Auth returns the schemes to try, 0 for none, with user name and password.
func (r *RequestConfig) Auth() (schemes AuthScheme, user, password string) {
	s, _ := lookup[auth](r)
	return s.schemes, s.user, s.password
}

// AuthArmed reports whether libcurl may answer a 401 or 407 itself: such a
// response is not final yet.
func (r *RequestConfig) AuthArmed() bool {
	s, _ := lookup[auth](r)
	p, _ := lookup[proxyAuth](r)
	return s.schemes.armed() || p.schemes.armed()
}

// WithoutCredentials returns r without the credentials for the server, for a
// redirect to another origin. Those for a proxy stay.
func (r *RequestConfig) WithoutCredentials() *RequestConfig {
	if s, _ := lookup[auth](r); s.schemes == 0 {
		return r
	}
	n := &RequestConfig{client: r.client, set: make(settings, 0, len(r.set)), apart: r.apart}
	for _, s := range r.set {
		if _, ok := s.(auth); !ok {
			n.set = append(n.set, s)
		}
	}
	n.targets = n.set.targets()
	return n
}

type auth struct{ credentials }

func (s auth) validate() error { return s.credentials.validate("") }

func (s auth) supported(f *cgo.FeatureSet) error { return s.credentials.supported(f, "NTLMAuth") }

func (s auth) encode(o *cgo.Options) {
	if s.schemes != 0 {
		o.Long(cgo.OptHTTPAuth, int64(s.schemes))
		o.String(cgo.OptUsername, s.user)
		o.String(cgo.OptPassword, s.password)
	}
}
