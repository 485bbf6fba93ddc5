package config

import (
	"errors"

	"github.com/ratmom/ratmom/cgo"
)

// TLSSRP authenticates both ends of the TLS handshake by a password that the server
// knows (RFC 5054), in TLS 1.2. A server may have a certificate beside it or not; for
// one without, which the password vouches for, [DangerAcceptInvalidCertificates] and
// [DangerAcceptInvalidHostnames] must be on. It needs a libcurl with
// TLS-SRP.
//
// TLSSRP("", "") is none. Default: none. CURLOPT_TLSAUTH_USERNAME,
// CURLOPT_TLSAUTH_PASSWORD; CURLOPT_TLSAUTH_TYPE knows no other type.
func TLSSRP(user, password string) Option { return both(tlsSRP{user, password}) }

type tlsSRP struct{ user, password string }

func (s tlsSRP) String() string { return masked(s.user + s.password) }

func (s tlsSRP) validate() error {
	err := func() error {
		switch {
		case (s.user == "") != (s.password == ""):
			return errors.New("needs both user name and password")
		case len(s.user) > 255 || len(s.password) > maxCredential:
			return errors.New("is too long")
		case badByte(s.user) != "":
			return errors.New("the user name " + badByte(s.user))
		case badByte(s.password) != "":
			return errors.New("the password " + badByte(s.password))
		}
		return nil
	}()
	if err != nil {
		return invalid("TLSSRP", s, "%v", err)
	}
	return nil
}

func (s tlsSRP) supported(f *cgo.FeatureSet) error {
	if s.user != "" && !f.TLSSRP {
		return unsupported(f, "TLSSRP", s, "to be built with TLS-SRP")
	}
	return nil
}

func (s tlsSRP) encodeEnd(e tlsEnd) {
	if s.user != "" {
		e.string(optTLSAuthUsername, s.user)
		e.string(optTLSAuthPassword, s.password)
	}
}
