package cgo

/*
#include <curl/curl.h>
static const char *ratmom_version_protocol(const curl_version_info_data *v, int i) {
    return v->protocols[i];
}
*/
import "C"

import (
	"strings"
	"sync"
)

// FeatureSet tells what the libcurl that this process runs with can do. It is
// asked at run time: the library may be newer, or built otherwise, than the
// headers this module was compiled with.
type FeatureSet struct {
	Version       uint32 // 0x075801 is 7.88.1
	VersionString string // "7.88.1"

	HTTP2      bool
	HTTP3      bool
	TLS        bool
	AltSvc     bool
	HSTS       bool
	Unix       bool // unix domain sockets
	IDN        bool
	IPv6       bool
	Brotli     bool
	Zstd       bool
	NTLM       bool
	SPNEGO     bool
	GSSAPI     bool // and its functions are in the process
	PSL        bool
	AsyncDNS   bool
	HTTPSProxy bool
	WebSocket  bool
	CAres      bool // the resolver is c-ares
	DoH        bool // DNS over HTTPS

	HAProxyClientIP   bool
	TCPFastOpen       bool
	TCPKeepAliveCount bool

	// What the TLS library can do, as far as libcurl uses it.
	CACache             bool
	CertInfo            bool
	ECH                 bool
	FalseStart          bool
	OCSPStapling        bool
	PinnedPublicKey     bool
	SignatureAlgorithms bool
	TLS13Ciphers        bool
	TLSSRP              bool

	// SSLBackend names the TLS library and its version: "OpenSSL/3.0.17".
	SSLBackend string
	// CAInfo and CAPath are where this build looks for the system's
	// certificates; either may be empty.
	CAInfo, CAPath string
}

// AtLeast reports whether libcurl is major.minor.patch or newer.
func (f *FeatureSet) AtLeast(major, minor, patch uint32) bool {
	return f.Version >= major<<16|minor<<8|patch
}

// Backend reports whether the TLS library is one of names, compared without its
// version and case.
func (f *FeatureSet) Backend(names ...string) bool {
	have, _, _ := strings.Cut(f.SSLBackend, "/")
	for _, n := range names {
		if strings.EqualFold(have, n) {
			return true
		}
	}
	return false
}

// Features returns what libcurl can do, asked once. The result is shared: do not
// change it.
func Features() *FeatureSet { return features() }

var features = sync.OnceValue(func() *FeatureSet {
	v := C.curl_version_info(C.CURLVERSION_NOW)
	has := func(bit C.int) bool { return v.features&bit != 0 }
	f := &FeatureSet{
		Version:       uint32(v.version_num),
		VersionString: C.GoString(v.version),
		HTTP2:         has(C.CURL_VERSION_HTTP2),
		HTTP3:         has(C.CURL_VERSION_HTTP3),
		TLS:           has(C.CURL_VERSION_SSL),
		AltSvc:        has(C.CURL_VERSION_ALTSVC),
		HSTS:          has(C.CURL_VERSION_HSTS),
		Unix:          has(C.CURL_VERSION_UNIX_SOCKETS),
		IPv6:          has(C.CURL_VERSION_IPV6),
		IDN:           has(C.CURL_VERSION_IDN),
		Brotli:        has(C.CURL_VERSION_BROTLI),
		Zstd:          has(C.CURL_VERSION_ZSTD),
		NTLM:          has(C.CURL_VERSION_NTLM),
		SPNEGO:        has(C.CURL_VERSION_SPNEGO),
		GSSAPI:        has(C.CURL_VERSION_GSSAPI) && haveGSSAPI(),
		PSL:           has(C.CURL_VERSION_PSL),
		AsyncDNS:      has(C.CURL_VERSION_ASYNCHDNS),
		HTTPSProxy:    has(C.CURL_VERSION_HTTPS_PROXY),
		TLSSRP:        has(C.CURL_VERSION_TLSAUTH_SRP),
	}
	f.probe()
	if v.ssl_version != nil {
		f.SSLBackend = activeBackend(C.GoString(v.ssl_version))
	}
	if v.age >= C.CURLVERSION_SEVENTH {
		f.CAInfo, f.CAPath = C.GoString(v.cainfo), C.GoString(v.capath)
	}
	for i := C.int(0); ; i++ {
		p := C.ratmom_version_protocol(v, i)
		if p == nil {
			break
		}
		f.WebSocket = f.WebSocket || C.GoString(p) == "ws"
	}
	return f
})

// activeBackend picks the TLS library in use out of libcurl's list, which has
// the others of a build with several in parentheses:
// "(GnuTLS/3.7.9) OpenSSL/3.0.17".
func activeBackend(list string) string {
	for s := range strings.FieldsSeq(list) {
		if !strings.HasPrefix(s, "(") {
			return s
		}
	}
	return strings.Trim(list, "()")
}
