package config

// HSTS keeps in mind which hosts want to be reached over https alone (RFC 6797), and
// sends requests of their http URLs there: to the same port, or 443 for 80. A host says
// so by the field Strict-Transport-Security of a response over TLS; what a certificate
// that was not verified vouches for does not count, and IP addresses have no part in it.
// All requests of the client share what is known, 4096 hosts at the most, for ten years
// at the longest.
//
// file is where it is kept, in the form of curl's; "" keeps it in memory alone. It is
// read by ratmom.New, where there need be none, and written in one piece by the client's
// Close. Two clients at once should not have the same: the last to close wins.
//
// Default: off. What CURLOPT_HSTS does, in Go: libcurl's memory is that of one easy
// handle.
func HSTS(file string) ClientOption { return forClient(hsts(file)) }

// HSTS returns the file of the option of that name, and whether it is set.
func (c *ClientConfig) HSTS() (file string, ok bool) {
	s, ok := lookupClient[hsts](c)
	return string(s), ok
}

type hsts string

func (s hsts) validate() error { return checkCacheFile("HSTS", string(s)) }
