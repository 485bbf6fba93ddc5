package config

import (
	"crypto/tls"
	"fmt"

	"github.com/ratmom/ratmom/cgo"
)

// TLSMinVersion sets the lowest version of TLS to accept, from servers and https
// proxies: tls.VersionTLS10 to tls.VersionTLS13 of crypto/tls, or 0 for whatever
// the TLS library does. It and [TLSMaxVersion] add up; the lowest may not be
// above the highest.
//
// Default: TLS 1.2, as in crypto/tls. The system's policy can forbid more than
// this allows. CURLOPT_SSLVERSION, CURLOPT_PROXY_SSLVERSION.
func TLSMinVersion(version uint16) Option { return both(tlsVersions{min: &version}) }

// TLSMaxVersion sets the highest version of TLS to offer, in the numbers of
// [TLSMinVersion]; 0 is the highest there is.
//
// Default: 0. CURLOPT_SSLVERSION, CURLOPT_PROXY_SSLVERSION.
func TLSMaxVersion(version uint16) Option { return both(tlsVersions{max: &version}) }

// tlsVersions is the range, as one libcurl option has it. nil is unset.
type tlsVersions struct{ min, max *uint16 }

func (s tlsVersions) String() string {
	name := func(p *uint16) string {
		if p == nil || *p == 0 {
			return ""
		}
		return tls.VersionName(*p)
	}
	return name(s.min) + ".." + name(s.max)
}

func (s tlsVersions) after(prev setting) setting {
	p := prev.(tlsVersions)
	if s.min == nil {
		s.min = p.min
	}
	if s.max == nil {
		s.max = p.max
	}
	return s
}

func (s tlsVersions) validate() error {
	low, high := s.numbers()
	for _, v := range []struct {
		option string
		number uint16
	}{{"TLSMinVersion", low}, {"TLSMaxVersion", high}} {
		if v.number != 0 && (v.number < tls.VersionTLS10 || v.number > tls.VersionTLS13) {
			return invalid(v.option, fmt.Sprintf("%#04x", v.number), "is none of TLS 1.0 to 1.3")
		}
	}
	if low != 0 && high != 0 && low > high {
		return invalid("TLSMaxVersion", tls.VersionName(high),
			"is below the lowest version, %s: set TLSMinVersion too", tls.VersionName(low))
	}
	return nil
}

func (s tlsVersions) numbers() (low, high uint16) {
	if s.min != nil {
		low = *s.min
	}
	if s.max != nil {
		high = *s.max
	}
	return low, high
}

func (s tlsVersions) encodeTLS(o *cgo.Options) {
	s.encodeEnd(tlsEnd{o, false})
	s.encodeEnd(tlsEnd{o, true})
}

func (s tlsVersions) encodeEnd(e tlsEnd) {
	if v := libcurlRange(s.numbers()); v != 0 {
		e.long(optSSLVersion, v)
	}
}

// TakesTLS13 reports whether TLS 1.3, the one of HTTP/3, is among the versions.
func (r *RequestConfig) TakesTLS13() bool {
	s, _ := lookup[tlsVersions](r)
	_, high := s.numbers()
	return high == 0 || high == tls.VersionTLS13
}

// libcurlRange puts a range into libcurl's numbers, where TLS 1.0 is 4.
func libcurlRange(low, high uint16) (v int64) {
	if low != 0 {
		v = cgo.SSLVersionTLS10 + int64(low-tls.VersionTLS10)
	}
	if high != 0 {
		v |= (cgo.SSLVersionTLS10 + int64(high-tls.VersionTLS10)) << 16
	}
	return v
}

// encodeTarget sees to it that a second HTTP/3 connection comes about where TLS
// comes from GnuTLS: with any lowest version but 1.3 libcurl asks for no tickets
// then (GNUTLS_NO_TICKETS), keeps those that come all the same, and offers early
// data with them, which GnuTLS cannot: the handshake ends in
// ERR_CALLBACK_FAILURE.
func (s tlsVersions) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	low, high := s.numbers()
	if low == 0 || low == tls.VersionTLS13 || t.url.Scheme != "https" || !cgo.Features().Backend("GnuTLS") {
		return
	}
	switch r.HTTPVersion() {
	case HTTP3Only: // QUIC knows no other version of TLS (RFC 9001 §4.2)
		if high == 0 || high == tls.VersionTLS13 {
			o.Long(cgo.OptSSLVersion, libcurlRange(tls.VersionTLS13, high))
		}
	case HTTP3:
		o.Long(cgo.OptSSLSessionIDCache, 0)
	}
}
