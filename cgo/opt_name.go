package cgo

/*
#include <curl/curl.h>
*/
import "C"

import "strconv"

// String returns the option's name as in curl.h, "CURLOPT_TIMEOUT_MS", or its
// number if this libcurl does not know it.
func (o Opt) String() string {
	e := C.curl_easy_option_by_id(C.CURLoption(o))
	if e == nil {
		return "option " + strconv.Itoa(int(o))
	}
	return "CURLOPT_" + C.GoString(e.name)
}
