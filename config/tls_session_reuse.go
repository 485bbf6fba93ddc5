package config

import "github.com/ratmom/ratmom/cgo"

// TLSSessionReuse takes up the TLS session of an earlier connection when another is made
// to the same server or proxy, which saves a part of the handshake and lets the server
// tell that it is the same client. A request that has it off and whose client has it on,
// or the other way round, has a connection of its own.
//
// Default: true. CURLOPT_SSL_SESSIONID_CACHE.
func TLSSessionReuse(on bool) Option { return both(tlsSessionReuse(on)) }

type tlsSessionReuse bool

func (tlsSessionReuse) validate() error { return nil }

func (s tlsSessionReuse) encodeTLS(o *cgo.Options) {
	if !s {
		o.Long(cgo.OptSSLSessionIDCache, 0)
	}
}

func (s tlsSessionReuse) apart(settings) (place, string) { return overTLS, unless(bool(s), "off") }
