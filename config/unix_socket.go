package config

import "github.com/ratmom/ratmom/cgo"

// UnixSocket sends requests over the Unix domain socket at path, whatever host
// their URL names; the Host header follows the URL. It goes past any proxy. ""
// switches off what the client has.
//
// Default: none. At most 107 bytes. It needs a libcurl with Unix sockets.
// CURLOPT_UNIX_SOCKET_PATH.
func UnixSocket(path string) Option { return both(unixSocket(path)) }

// UnixSocket returns the value of the option of that name; "" if there is none.
func (r *RequestConfig) UnixSocket() string {
	s, _ := lookup[unixSocket](r)
	return string(s)
}

type unixSocket string

func (s unixSocket) validate() error {
	// struct sockaddr_un has 108 bytes, one of them for the NUL.
	if len(s) > 107 {
		return invalid("UnixSocket", string(s), "is longer than 107 bytes")
	}
	return checkText("UnixSocket", string(s))
}

func (s unixSocket) supported(f *cgo.FeatureSet) error {
	if s != "" && !f.Unix {
		return unsupported(f, "UnixSocket", string(s), "to be built with Unix domain sockets")
	}
	return nil
}

func (s unixSocket) encode(o *cgo.Options) {
	if s != "" {
		o.String(cgo.OptUnixSocketPath, string(s))
	}
}
