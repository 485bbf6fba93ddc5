package config

import (
	"net/url"

	"github.com/ratmom/ratmom/cgo"
)

// DoH asks the server at rawURL, an https URL, for the addresses of hosts (RFC 8484),
// in place of the system. Its own host is looked up by the system, unless it is an
// address or [Resolve] has it. "" is the system.
//
// The server is verified with the certificates that servers are verified with, and,
// where these come from [CAFile] or [CABytes], with libcurl's own, too. It is asked
// past any [Proxy], though libcurl reads the environment's for it. The answers go to the
// client's DNS cache. A request whose server is not its client's has a connection of
// its own and takes nothing from there.
//
// Default: none. CURLOPT_DOH_URL.
func DoH(rawURL string) Option { return both(doh(rawURL)) }

type doh string

func (s doh) validate() error {
	if s == "" {
		return nil
	}
	if err := checkText("DoH", string(s)); err != nil {
		return err
	}
	u, err := url.Parse(string(s))
	switch {
	case err != nil:
		return invalid("DoH", maskProxy(string(s)), "is not a URL")
	case u.User != nil:
		return invalid("DoH", maskProxy(string(s)), "has a user name")
	case u.Scheme != "https":
		return invalid("DoH", string(s), "scheme %q is not https", u.Scheme)
	case u.Fragment != "":
		return invalid("DoH", string(s), "has a fragment")
	}
	if err := checkHost(u.Hostname()); err != nil {
		return invalid("DoH", string(s), "%v", err)
	}
	if p := u.Port(); p != "" {
		if err := checkPort(p); err != nil {
			return invalid("DoH", string(s), "%v", err)
		}
	}
	return nil
}

func (s doh) supported(f *cgo.FeatureSet) error {
	if s != "" && !f.DoH {
		return unsupported(f, "DoH", string(s), "to be built with DNS over HTTPS")
	}
	return nil
}

func (s doh) encodeTarget(o *cgo.Options, r *RequestConfig, _ target) {
	if s != "" {
		o.String(cgo.OptDoHURL, string(s))
	}
	ownAddresses(o, r, s)
}

func (s doh) apart(settings) (place, string) { return anywhere, string(s) }

// ownAddresses keeps a request whose DoH is not its client's from its client's addresses,
// and the client from the request's.
func ownAddresses[T interface {
	comparable
	setting
}](o *cgo.Options, r *RequestConfig, s T) {
	if of, _ := lookupClient[T](r.client); of != s {
		o.Long(cgo.OptDNSCacheTimeout, 0)
	}
}

// DangerDoHAcceptInvalidCertificates takes any certificate of the [DoH] server for
// good: whoever is in between names the addresses.
//
// Default: false. CURLOPT_DOH_SSL_VERIFYPEER.
func DangerDoHAcceptInvalidCertificates(on bool) Option {
	return both(dangerDoHAcceptInvalidCertificates(on))
}

type dangerDoHAcceptInvalidCertificates bool

func (dangerDoHAcceptInvalidCertificates) validate() error { return nil }

func (s dangerDoHAcceptInvalidCertificates) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptDoHSSLVerifyPeer, 0)
	}
}

func (s dangerDoHAcceptInvalidCertificates) encodeTarget(o *cgo.Options, r *RequestConfig, _ target) {
	ownAddresses(o, r, s)
}

func (s dangerDoHAcceptInvalidCertificates) apart(settings) (place, string) {
	return anywhere, unless(!bool(s), "on")
}

// DangerDoHAcceptInvalidHostnames takes a certificate of the [DoH] server for good that
// was made out to another host.
//
// Default: false. CURLOPT_DOH_SSL_VERIFYHOST.
func DangerDoHAcceptInvalidHostnames(on bool) Option {
	return both(dangerDoHAcceptInvalidHostnames(on))
}

type dangerDoHAcceptInvalidHostnames bool

func (dangerDoHAcceptInvalidHostnames) validate() error { return nil }

func (s dangerDoHAcceptInvalidHostnames) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptDoHSSLVerifyHost, 0)
	}
}

func (s dangerDoHAcceptInvalidHostnames) encodeTarget(o *cgo.Options, r *RequestConfig, _ target) {
	ownAddresses(o, r, s)
}

func (s dangerDoHAcceptInvalidHostnames) apart(settings) (place, string) {
	return anywhere, unless(!bool(s), "on")
}

// DoHOCSPStapling refuses a [DoH] server that does not prove by a stapled OCSP response
// that its certificate has not been revoked.
//
// Default: false. It needs OpenSSL or GnuTLS. CURLOPT_DOH_SSL_VERIFYSTATUS.
func DoHOCSPStapling(on bool) Option { return both(dohOCSPStapling(on)) }

type dohOCSPStapling bool

func (dohOCSPStapling) validate() error { return nil }

func (s dohOCSPStapling) supported(f *cgo.FeatureSet) error {
	if bool(s) && !f.OCSPStapling {
		return unsupported(f, "DoHOCSPStapling", bool(s), "a TLS library that checks stapled OCSP responses")
	}
	return nil
}

func (s dohOCSPStapling) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptDoHSSLVerifyStatus, 1)
	}
}

func (s dohOCSPStapling) encodeTarget(o *cgo.Options, r *RequestConfig, _ target) {
	ownAddresses(o, r, s)
}

func (s dohOCSPStapling) apart(settings) (place, string) {
	return anywhere, unless(!bool(s), "on")
}
