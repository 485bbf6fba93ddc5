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
	low, high := s.numbers()
	var v int64
	// libcurl counts TLS 1.0 as 4.
	if low != 0 {
		v = cgo.SSLVersionTLS10 + int64(low-tls.VersionTLS10)
	}
	if high != 0 {
		v |= (cgo.SSLVersionTLS10 + int64(high-tls.VersionTLS10)) << 16
	}
	if v != 0 {
		o.Long(cgo.OptSSLVersion, v)
		o.Long(cgo.OptProxySSLVersion, v)
	}
}
