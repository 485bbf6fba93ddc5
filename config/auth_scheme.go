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
	AuthBasic  AuthScheme = cgo.AuthBasic
	AuthDigest AuthScheme = cgo.AuthDigest
	AuthNTLM   AuthScheme = cgo.AuthNTLM
)

// String returns the names, as in "Basic|Digest".
func (a AuthScheme) String() string {
	var names []string
	for _, s := range []struct {
		bit  AuthScheme
		name string
	}{{AuthBasic, "Basic"}, {AuthDigest, "Digest"}, {AuthNTLM, "NTLM"}} {
		if a&s.bit != 0 {
			names = append(names, s.name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "|")
}

// armed reports whether the set holds a scheme that answers a 401 or 407.
func (a AuthScheme) armed() bool { return a&^AuthBasic != 0 }

// anyAuth is all schemes that this libcurl has.
func anyAuth() AuthScheme {
	if cgo.Features().NTLM {
		return AuthBasic | AuthDigest | AuthNTLM
	}
	return AuthBasic | AuthDigest
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

func (c credentials) supported(f *cgo.FeatureSet, option string) error {
	if c.schemes == AuthNTLM && !f.NTLM {
		return unsupported(f, option, "xxxxx", "to be built with NTLM")
	}
	return nil
}

// maxCredential bounds a name or password, in bytes: tokens can be long, headers
// cannot.
const maxCredential = 16 << 10
