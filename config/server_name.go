package config

// TLSServerName sets the name that a server's certificate must carry and that is
// sent as SNI, in place of the URL's host. The connection still goes to the URL's
// host, and the Host header stays. "" is the URL's host.
//
// Default: the URL's host. libcurl has no option of that kind: the name goes into
// CURLOPT_URL, and the host into CURLOPT_CONNECT_TO.
func TLSServerName(name string) Option { return both(tlsServerName(name)) }

// TLSServerName returns the name; "" if it is the URL's host.
func (r *RequestConfig) TLSServerName() string {
	s, _ := lookup[tlsServerName](r)
	return string(s)
}

type tlsServerName string

func (s tlsServerName) validate() error {
	if s == "" {
		return nil
	}
	if err := checkName(string(s)); err != nil {
		return invalid("TLSServerName", string(s), "%v", err)
	}
	return nil
}
