package config

import "strconv"

// Range asks for the bytes from first to last of a resource, both included, counted
// from 0. A negative last asks for all from first on; a negative first, together with
// a negative last, for the end: Range(-500, -1) for the last 500 bytes. A server that
// does as it is told answers 206 and says in Content-Range what it sends; one that
// does not answers 200 with the whole. Compression is not asked for. A request with a
// Range field of its own keeps that.
//
// Client.Download gets the rest of a file that was cut.
//
// Default: the whole. CURLOPT_RANGE, CURLOPT_RESUME_FROM_LARGE.
func Range(first, last int64) RequestOption { return forRequest(byteRange{first, last}) }

// Range returns the value of the Range field that the option of that name asks for, ""
// for none.
func (r *RequestConfig) Range() string {
	s, ok := lookup[byteRange](r)
	if !ok {
		return ""
	}
	return "bytes=" + s.String()
}

type byteRange struct{ first, last int64 }

func (s byteRange) String() string {
	switch {
	case s.first < 0:
		return strconv.FormatInt(s.first, 10)
	case s.last < 0:
		return strconv.FormatInt(s.first, 10) + "-"
	}
	return strconv.FormatInt(s.first, 10) + "-" + strconv.FormatInt(s.last, 10)
}

func (s byteRange) validate() error {
	switch {
	case s.first < 0 && s.last >= 0:
		return invalid("Range", s.first, "is negative, and the last byte is not")
	case s.last >= 0 && s.last < s.first:
		return invalid("Range", s, "ends before it begins")
	}
	return nil
}
