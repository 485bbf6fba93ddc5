package config

import (
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// AuthScheme is a set of ways to authenticate; the numbers are libcurl's
// (CURLAUTH_*).
type AuthScheme uint

// The schemes.
const (
	AuthBasic     AuthScheme = cgo.AuthBasic     // RFC 7617
	AuthDigest    AuthScheme = cgo.AuthDigest    // RFC 7616
	AuthNegotiate AuthScheme = cgo.AuthNegotiate // Kerberos by SPNEGO (RFC 4559)
	AuthNTLM      AuthScheme = cgo.AuthNTLM      // MS-NLMP
	AuthBearer    AuthScheme = cgo.AuthBearer    // RFC 6750
	AuthAWSSigV4  AuthScheme = cgo.AuthAWSSigV4  // Signature Version 4
)

// String returns the names, as in "Basic|Digest".
func (a AuthScheme) String() string {
	var names []string
	for _, s := range []struct {
		bit  AuthScheme
		name string
	}{
		{AuthBasic, "Basic"}, {AuthDigest, "Digest"}, {AuthNegotiate, "Negotiate"},
		{AuthNTLM, "NTLM"}, {AuthBearer, "Bearer"}, {AuthAWSSigV4, "AWS SigV4"},
	} {
		if a&s.bit != 0 {
			names = append(names, s.name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "|")
}

// The schemes that libcurl carries out with a name and a password, and of these
// the ones that answer a 401 or 407.
const (
	passwordSchemes  = AuthBasic | challengeSchemes
	challengeSchemes = AuthDigest | AuthNTLM
)

// armed reports whether the set holds a scheme that answers a 401 or 407. Negotiate,
// Bearer and AWS SigV4 say all they have to say at once.
func (a AuthScheme) armed() bool { return a&challengeSchemes != 0 }

// anyAuth is all schemes for a name and a password that this libcurl has. Negotiate
// is not one: it would give another's name, that of the process, to whichever server
// asks for it, and libcurl falls back to no other scheme when there is no ticket.
func anyAuth() AuthScheme { return AuthBasic | anySafeAuth() }

// anySafeAuth is those of anyAuth that do not show the password.
func anySafeAuth() AuthScheme {
	if cgo.Features().NTLM {
		return AuthDigest | AuthNTLM
	}
	return AuthDigest
}

// credentials is a name and password with the schemes they are for. The zero
// value is none.
type credentials struct {
	schemes        AuthScheme
	user, password string
}

// String masks both, since tokens are often given as the name.
func (c credentials) String() string {
	if c.schemes == 0 {
		return "none"
	}
	return c.schemes.String() + " xxxxx"
}

// validate checks for the option that was used, named by prefix and scheme. RFC
// 7617 has no control characters in either, and no colon in a Basic name.
func (c credentials) validate(prefix string) error {
	option := prefix + "AnyAuth"
	switch c.schemes {
	case AuthBasic:
		option = prefix + "BasicAuth"
	case AuthDigest:
		option = prefix + "DigestAuth"
	case AuthNTLM:
		option = prefix + "NTLMAuth"
	case challengeSchemes:
		option = prefix + "AnySafeAuth"
	}
	for _, p := range []struct{ what, text string }{{"user name", c.user}, {"password", c.password}} {
		if len(p.text) > maxCredential {
			return invalid(option, "xxxxx", "the %s is longer than %d bytes", p.what, maxCredential)
		}
		if bad := badByte(p.text); bad != "" {
			return invalid(option, "xxxxx", "the %s %s", p.what, bad)
		}
	}
	if c.schemes&AuthBasic != 0 && strings.Contains(c.user, ":") {
		return invalid(option, "xxxxx", "the user name has a colon (RFC 7617, section 2)")
	}
	return nil
}

func (c credentials) supported(f *cgo.FeatureSet, prefix string) error {
	switch {
	case c.schemes == AuthNTLM && !f.NTLM:
		return unsupported(f, prefix+"NTLMAuth", "xxxxx", "to be built with NTLM")
	case c.schemes == AuthNegotiate && !f.GSSAPI:
		return unsupported(f, prefix+"NegotiateAuth", "", gssapiNeeded)
	}
	return nil
}

// maxCredential bounds a name or password, in bytes: tokens can be long, headers
// cannot.
const maxCredential = 16 << 10
