package cgo

/*
#include "ratmom.h"

#include <stdlib.h>

static int ratmom_takes_long(int option, long v) {
    CURL *e = curl_easy_init();
    int rc = e ? (int)curl_easy_setopt(e, (CURLoption)option, v) : CURLE_OUT_OF_MEMORY;
    curl_easy_cleanup(e);
    return rc == CURLE_OK;
}

static int ratmom_takes_string(int option, const char *v) {
    CURL *e = curl_easy_init();
    int rc = e ? (int)curl_easy_setopt(e, (CURLoption)option, v) : CURLE_OUT_OF_MEMORY;
    curl_easy_cleanup(e);
    return rc == CURLE_OK;
}
*/
import "C"

import (
	"sync"
	"unsafe"
)

// globalInit is curl_global_init, once, with our memory functions.
var globalInit = sync.OnceValue(func() int { return int(C.ratmom_global_init()) })

// probe asks for what libcurl does not tell by its version: it refuses an option that
// the TLS library cannot do.
func (f *FeatureSet) probe() {
	if globalInit() != 0 {
		return
	}
	long := func(opt Opt, v int) bool { return C.ratmom_takes_long(C.int(opt), C.long(v)) != 0 }
	str := func(opt Opt, v string) bool {
		s := C.CString(v)
		defer C.free(unsafe.Pointer(s))
		return C.ratmom_takes_string(C.int(opt), s) != 0
	}
	f.CACache = long(OptCACacheTimeout, 1)
	f.CertInfo = long(OptCertInfo, 1)
	f.FalseStart = long(OptSSLFalseStart, 1)
	f.OCSPStapling = long(OptSSLVerifyStatus, 1)
	f.PinnedPublicKey = str(OptPinnedPublicKey, "x")
	f.TLS13Ciphers = str(OptTLS13Ciphers, "x")
	f.SignatureAlgorithms = str(OptSSLSignatureAlgorithms, "x")
	f.ECH = str(OptECH, "false")
}
