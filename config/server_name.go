package config

// TLSServerName is the name that a server's certificate must carry and that is
// sent as SNI, in the place of the URL's host. The connection still goes to the
// URL's host, and the Host header stays.
//
// Default: the URL's host. The empty string means the default. libcurl has no
// option of that kind: the name goes into CURLOPT_URL, and the host into
// CURLOPT_CONNECT_TO.
func TLSServerName(name string) Option { return both(tlsServerName(name)) }

// TLSServerName returns the name; empty if the URL's host is to be used.
func (r *RequestConfig) TLSServerName() string {
	s, _ := lookup[tlsServerName](r)
	return string(s)
}

type tlsServerName string

func (s tlsServerName) validate() error {
	if s == "" {
		return nil
	}
	if err := checkHost(string(s)); err != nil {
		return invalid("TLSServerName", string(s), err.Error())
	}
	return nil
}
