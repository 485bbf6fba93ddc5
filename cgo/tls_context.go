package cgo

import (
	"bytes"
	"hash/maphash"
)

// What connections with the same options share, see tls_context.c.
const (
	tlsNone  = 0 // the transfer speaks no TLS
	tlsAlone = 1 // its connection shares nothing
)

var tlsSeed = maphash.MakeSeed()

// tlsConfig is a hash of the options that say how the transfer speaks TLS: two that have the same
// one have the same options. Whether it speaks any is seen from them as well, and what is not
// seen to share nothing shares nothing.
func (o *Options) tlsConfig() uint64 {
	var h maphash.Hash
	h.SetSeed(tlsSeed)
	secure, alone, own := true, false, false
	for r := range o.raw() {
		switch r.opt {
		case OptURL:
			secure = r.kind != opString || !hasScheme(r.payload, "http") && !hasScheme(r.payload, "ws")
		case OptSSLCert, OptSSLCertBlob, OptSSLCertType, OptSSLKey, OptSSLKeyBlob, OptSSLKeyType, OptKeyPasswd,
			OptSSLEngine, OptSSLEngineDefault, OptSSLCtxFunction, OptSSLCtxData, OptSSLVerifyStatus,
			OptTLSAuthType, OptTLSAuthUsername, OptTLSAuthPassword, OptECH:
			// The chain of a certificate is added to what the context has, and the password
			// stays in it; the revocation of a stapled answer is looked up in its store.
			own = true
		case OptDoHURL:
			alone = alone || r.kind != opNull // libcurl's own requests have other options
		case OptHSTS, OptHSTSCtrl, OptAltSvc, OptAltSvcCtrl:
			alone = true // the URL does not tell whether it is TLS
		case OptProxy, OptPreProxy:
			alone = alone || r.kind == opString && hasScheme(r.payload, "https")
		case OptProxyType:
			t := r.long()
			alone = alone || t == ProxyTypeHTTPS || t == ProxyTypeHTTPS2
		}
		if r.opt.inTLS() {
			maphash.WriteComparable(&h, [3]int{int(r.opt), int(r.kind), len(r.payload)})
			_, _ = h.Write(r.payload)
		}
	}
	switch {
	case alone || secure && own:
		return tlsAlone
	case !secure:
		return tlsNone
	}
	return max(h.Sum64(), tlsAlone+1)
}

func hasScheme(url []byte, scheme string) bool {
	n := len(scheme)
	return len(url) > n && url[n] == ':' && bytes.EqualFold(url[:n], []byte(scheme))
}

// inTLS reports whether the option says how TLS is spoken to a server.
func (o Opt) inTLS() bool {
	switch o {
	case OptCAInfo, OptCAInfoBlob, OptCAPath, OptCACacheTimeout, OptCertInfo, OptCRLFile, OptIssuerCert, OptIssuerCertBlob,
		OptKeyPasswd, OptPinnedPublicKey, OptSSLCert, OptSSLCertBlob, OptSSLCertType, OptSSLKey, OptSSLKeyBlob, OptSSLKeyType,
		OptSSLEngine, OptSSLEngineDefault, OptSSLVersion, OptSSLCipherList, OptTLS13Ciphers, OptSSLECCurves, OptSSLFalseStart,
		OptSSLOptions, OptSSLSessionIDCache, OptSSLVerifyHost, OptSSLVerifyPeer, OptSSLVerifyStatus, OptSSLCtxFunction,
		OptSSLCtxData, OptTLSAuthType, OptTLSAuthUsername, OptTLSAuthPassword, OptSSLEnableALPN, OptECH,
		OptSSLSignatureAlgorithms:
		return true
	}
	return false
}
