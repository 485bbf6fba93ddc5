package config

import "github.com/ratmom/ratmom/cgo"

// A tlsOpt is an option of libcurl for TLS with the server, with its twin for TLS
// with a proxy.
type tlsOpt struct{ server, proxy cgo.Opt }

// tlsEnd packs options for TLS with one end: the server or, if proxy is set, the
// proxy.
type tlsEnd struct {
	o     *cgo.Options
	proxy bool
}

// A tlsEndEncoder sets options of the easy handle for TLS with either end. Such an
// option can be given to [ProxyTLS]; by itself it is for the server.
type tlsEndEncoder interface{ encodeEnd(tlsEnd) }

func (e tlsEnd) opt(o tlsOpt) cgo.Opt {
	if e.proxy {
		return o.proxy
	}
	return o.server
}

func (e tlsEnd) long(o tlsOpt, v int64)     { e.o.Long(e.opt(o), v) }
func (e tlsEnd) string(o tlsOpt, s string)  { e.o.String(e.opt(o), s) }
func (e tlsEnd) blob(o tlsOpt, data []byte) { e.o.Blob(e.opt(o), data) }
func (e tlsEnd) null(o tlsOpt)              { e.o.Null(e.opt(o)) }

func (e tlsEnd) stringOrNull(o tlsOpt, s string) {
	if s == "" {
		e.null(o)
	} else {
		e.string(o, s)
	}
}

// The options with a twin.
var (
	optCAInfo          = tlsOpt{cgo.OptCAInfo, cgo.OptProxyCAInfo}
	optCAInfoBlob      = tlsOpt{cgo.OptCAInfoBlob, cgo.OptProxyCAInfoBlob}
	optCAPath          = tlsOpt{cgo.OptCAPath, cgo.OptProxyCAPath}
	optCRLFile         = tlsOpt{cgo.OptCRLFile, cgo.OptProxyCRLFile}
	optIssuerCert      = tlsOpt{cgo.OptIssuerCert, cgo.OptProxyIssuerCert}
	optIssuerCertBlob  = tlsOpt{cgo.OptIssuerCertBlob, cgo.OptProxyIssuerCertBlob}
	optKeyPasswd       = tlsOpt{cgo.OptKeyPasswd, cgo.OptProxyKeyPasswd}
	optPinnedPublicKey = tlsOpt{cgo.OptPinnedPublicKey, cgo.OptProxyPinnedPublicKey}
	optSSLCert         = tlsOpt{cgo.OptSSLCert, cgo.OptProxySSLCert}
	optSSLCertBlob     = tlsOpt{cgo.OptSSLCertBlob, cgo.OptProxySSLCertBlob}
	optSSLCertType     = tlsOpt{cgo.OptSSLCertType, cgo.OptProxySSLCertType}
	optSSLKey          = tlsOpt{cgo.OptSSLKey, cgo.OptProxySSLKey}
	optSSLKeyBlob      = tlsOpt{cgo.OptSSLKeyBlob, cgo.OptProxySSLKeyBlob}
	optSSLKeyType      = tlsOpt{cgo.OptSSLKeyType, cgo.OptProxySSLKeyType}
	optSSLVersion      = tlsOpt{cgo.OptSSLVersion, cgo.OptProxySSLVersion}
	optSSLCipherList   = tlsOpt{cgo.OptSSLCipherList, cgo.OptProxySSLCipherList}
	optTLS13Ciphers    = tlsOpt{cgo.OptTLS13Ciphers, cgo.OptProxyTLS13Ciphers}
	optSSLOptions      = tlsOpt{cgo.OptSSLOptions, cgo.OptProxySSLOptions}
	optSSLVerifyHost   = tlsOpt{cgo.OptSSLVerifyHost, cgo.OptProxySSLVerifyHost}
	optSSLVerifyPeer   = tlsOpt{cgo.OptSSLVerifyPeer, cgo.OptProxySSLVerifyPeer}
	optTLSAuthUsername = tlsOpt{cgo.OptTLSAuthUsername, cgo.OptProxyTLSAuthUsername}
	optTLSAuthPassword = tlsOpt{cgo.OptTLSAuthPassword, cgo.OptProxyTLSAuthPassword}
)
