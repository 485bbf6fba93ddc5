package cgo

/*
#include <curl/curl.h>
#include <stdlib.h>

static int ratmom_takes_long(CURL *e, int option, long v) {
    return curl_easy_setopt(e, (CURLoption)option, v) == CURLE_OK;
}

static int ratmom_takes_text(CURL *e, int option, const char *v) {
    return curl_easy_setopt(e, (CURLoption)option, v) == CURLE_OK;
}
*/
import "C"

import "unsafe"

// probe asks for what libcurl does not tell by its version: it refuses an option that
// it, or its TLS library, cannot do.
func (f *FeatureSet) probe() {
	if globalInit() != nil {
		return
	}
	e := C.curl_easy_init()
	if e == nil {
		return
	}
	defer C.curl_easy_cleanup(e)
	long := func(o Opt) bool { return C.ratmom_takes_long(e, C.int(o), 1) != 0 }
	text := func(o Opt, v string) bool {
		s := C.CString(v)
		defer C.free(unsafe.Pointer(s))
		return C.ratmom_takes_text(e, C.int(o), s) != 0
	}
	f.CAres = text(OptDNSServers, "127.0.0.1")
	f.DoH = text(OptDoHURL, "https://127.0.0.1/")
	f.HAProxyClientIP = text(OptHAProxyClientIP, "127.0.0.1")
	f.TCPFastOpen = long(OptTCPFastOpen)
	f.TCPKeepAliveCount = long(OptTCPKeepCnt)

	f.CACache = long(OptCACacheTimeout)
	f.CertInfo = long(OptCertInfo)
	f.FalseStart = long(OptSSLFalseStart)
	f.OCSPStapling = long(OptSSLVerifyStatus)
	f.PinnedPublicKey = text(OptPinnedPublicKey, "x")
	f.TLS13Ciphers = text(OptTLS13Ciphers, "x")
	f.SignatureAlgorithms = text(OptSSLSignatureAlgorithms, "x")
	f.ECH = text(OptECH, "false")
}
