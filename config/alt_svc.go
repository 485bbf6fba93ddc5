package config

// AltSvc keeps in mind under which other protocol, host and port servers say that they
// can be reached, too (RFC 7838, the field Alt-Svc), and sends requests of https URLs
// there. The certificate must be the one of the URL's host all the same. All requests of
// the client share what is known, of 4096 origins at the most, for a year at the longest.
//
// Which protocols are taken follows from [HTTPVersion]: with HTTPDefault and HTTP3 all,
// HTTP/3 if this libcurl has it; with the others what they name. An alternative has 3 s
// to be connected to (or [ConnectTimeout], if that is less); one that cannot be used is
// left alone for five minutes, then longer each time, and the request goes to the origin.
// None is used through a proxy, beside [ConnectTo], [UnixSocket], [TLSServerName] and
// the DangerAccept options, and for upgrades and requests with trailers.
//
// file is where it is kept, in the form of curl's; "" keeps it in memory alone. It is
// read by ratmom.New, where there need be none, and written in one piece by the client's
// Close. Two clients at once should not have the same: the last to close wins.
//
// Default: off. What CURLOPT_ALTSVC does, in Go: libcurl's memory is that of one easy
// handle.
func AltSvc(file string) ClientOption { return forClient(altSvc(file)) }

// AltSvc returns the file of the option of that name, and whether it is set.
func (c *ClientConfig) AltSvc() (file string, ok bool) {
	s, ok := lookupClient[altSvc](c)
	return string(s), ok
}

type altSvc string

func (s altSvc) validate() error { return checkCacheFile("AltSvc", string(s)) }

// Verifies reports whether servers must prove by a certificate that they are the host
// of the URL.
func (r *RequestConfig) Verifies() bool {
	any, _ := lookup[dangerAcceptInvalidCertificates](r)
	other, _ := lookup[dangerAcceptInvalidHostnames](r)
	return !bool(any) && !bool(other) && r.TLSServerName() == ""
}

// Elsewhere reports whether an option sends requests to another place than the host
// of their URL or a proxy.
func (r *RequestConfig) Elsewhere() bool {
	to, _ := lookup[connectTo](r)
	unix, _ := lookup[unixSocket](r)
	return len(to.hosts) > 0 || r.DialContext() != nil || unix.path != "" || r.TLSServerName() != ""
}
