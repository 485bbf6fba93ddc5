package config

import (
	"runtime"

	"github.com/ratmom/ratmom/cgo"
)

// UnixSocket sends requests over the Unix domain socket at path, whatever host
// their URL names; the Host header follows the URL. It goes past any proxy. ""
// switches off what the client has.
//
// It and [AbstractUnixSocket] replace one another. Default: none. At most 107 bytes.
// It needs a libcurl with Unix sockets. CURLOPT_UNIX_SOCKET_PATH.
func UnixSocket(path string) Option { return both(unixSocket{path: path}) }

// AbstractUnixSocket is [UnixSocket] for a socket of that name in Linux's abstract
// namespace, which is no file. The name has no leading NUL or @; "" switches off what
// the client has.
//
// Default: none. At most 106 bytes. On Linux only. CURLOPT_ABSTRACT_UNIX_SOCKET.
func AbstractUnixSocket(name string) Option {
	return both(unixSocket{path: name, abstract: name != ""})
}

// UnixSocket returns the value of the option of that name; "" if there is none. A
// name in the abstract namespace begins with @, as in package net.
func (r *RequestConfig) UnixSocket() string {
	s, _ := lookup[unixSocket](r)
	return s.String()
}

type unixSocket struct {
	path     string
	abstract bool
}

func (s unixSocket) String() string {
	if s.abstract {
		return "@" + s.path
	}
	return s.path
}

func (s unixSocket) option() string {
	if s.abstract {
		return "AbstractUnixSocket"
	}
	return "UnixSocket"
}

func (s unixSocket) validate() error {
	// struct sockaddr_un has 108 bytes, one of them for the NUL, at the end of a path
	// and before a name; libcurl keeps one at the end of a name, too.
	most := 107
	if s.abstract {
		most = 106
	}
	if len(s.path) > most {
		return invalid(s.option(), s.path, "is longer than %d bytes", most)
	}
	return checkText(s.option(), s.path)
}

func (s unixSocket) supported(f *cgo.FeatureSet) error {
	switch {
	case s.path != "" && !f.Unix:
		return unsupported(f, s.option(), s.path, "to be built with Unix domain sockets")
	case s.abstract && runtime.GOOS != "linux":
		return unsupported(f, s.option(), s.path, "to run on Linux")
	}
	return nil
}

func (s unixSocket) encode(o *cgo.Options) {
	switch {
	case s.path == "":
	case s.abstract:
		o.String(cgo.OptAbstractUnixSocket, s.path)
	default:
		o.String(cgo.OptUnixSocketPath, s.path)
	}
}
