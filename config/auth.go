package config

import "github.com/ratmom/ratmom/cgo"

// BasicAuth sends user and password with the request, readable by whoever sees it
// (RFC 7617). Use it with https.
//
// Here and with the other ...Auth options: the last of them counts; they are not
// used for the target of a redirect to another origin; the request's own
// Authorization header wins over those that say all at once (Basic, Bearer,
// Negotiate, AWS). Neither name nor password may have control characters, and the
// name of Basic no colon. CURLOPT_HTTPAUTH, CURLOPT_USERNAME, CURLOPT_PASSWORD.
func BasicAuth(user, password string) Option { return withAuth(AuthBasic, user, password) }

// DigestAuth answers a server's challenge by a digest of the password (RFC 7616).
// It takes an additional round, in which a request body is not sent. See BasicAuth for
// what is said of all ...Auth options. CURLAUTH_DIGEST.
func DigestAuth(user, password string) Option { return withAuth(AuthDigest, user, password) }

// NTLMAuth authenticates the connection by NTLM, over HTTP/1.1. The name can be
// written "DOMAIN\user". The body is sent in the last round only. It needs a
// libcurl with NTLM; else it is ErrUnsupported. CURLAUTH_NTLM.
func NTLMAuth(user, password string) Option { return withAuth(AuthNTLM, user, password) }

// AnyAuth asks the server which way it wants and takes the safest of Digest, NTLM
// and Basic, as far as libcurl has them. A server that asks for Basic is given the
// password. A request body goes along with the question, and once more with the
// answer: it must be in memory or have a GetBody.
//
// It does not take [NegotiateAuth], which uses neither name nor password.
func AnyAuth(user, password string) Option { return withAuth(anyAuth(), user, password) }

// AnySafeAuth is [AnyAuth] without Basic: no server is given the password itself.
func AnySafeAuth(user, password string) Option { return withAuth(anySafeAuth(), user, password) }

// NoAuth switches off what the client has of the other ...Auth options, and
// [Netrc].
func NoAuth() Option { return both(auth{}) }

func withAuth(a AuthScheme, user, password string) Option {
	return both(auth{credentials: credentials{a, user, password}})
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
	s, _ := lookup[auth](r)
	file, _ := lookup[netrc](r)
	if s.schemes == 0 && len(file.entries) == 0 {
		return r
	}
	n := &RequestConfig{client: r.client, set: make(settings, 0, len(r.set))}
	for _, s := range r.set {
		switch s.(type) {
		case auth, netrc:
		default:
			n.set = append(n.set, s)
		}
	}
	n.settle()
	return n
}

type auth struct {
	credentials
	token string
	aws   AWSSigV4
}

func (s auth) validate() error {
	switch s.schemes {
	case AuthBearer:
		return checkToken("BearerAuth", s.token)
	case AuthAWSSigV4:
		return s.aws.check()
	}
	return s.credentials.validate("")
}

func (s auth) supported(f *cgo.FeatureSet) error { return s.credentials.supported(f, "") }

// Negotiate and AWS SigV4 are headers that the handler adds.
func (s auth) encode(o *cgo.Options) {
	switch {
	case s.schemes == AuthBearer:
		o.Long(cgo.OptHTTPAuth, int64(s.schemes))
		o.String(cgo.OptXOAuth2Bearer, s.token)
	case s.schemes&passwordSchemes != 0:
		o.Long(cgo.OptHTTPAuth, int64(s.schemes))
		o.String(cgo.OptUsername, s.user)
		o.String(cgo.OptPassword, s.password)
	}
}

func (s auth) apart(all settings) (place, string) { return anywhere, all.negotiation().apart() }
