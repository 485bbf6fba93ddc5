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

// EasyOptions returns the names of the options of this libcurl's easy handles, as in
// curl.h but without "CURLOPT_", old names left out.
func EasyOptions() []string {
	var names []string
	for e := C.curl_easy_option_next(nil); e != nil; e = C.curl_easy_option_next(e) {
		if e.flags&C.CURLOT_FLAG_ALIAS == 0 {
			names = append(names, C.GoString(e.name))
		}
	}
	return names
}
