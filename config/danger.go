package config

// DangerAcceptInvalidCertificates takes any certificate of a server for good:
// expired, self-signed, or made by someone in between who reads and changes all
// traffic. To trust a server of one's own use [CAFile] instead. Proxies are
// verified all the same, unless it is given to [ProxyTLS]. The name is still compared
// with the certificate's; see [DangerAcceptInvalidHostnames].
//
// Default: false. CURLOPT_SSL_VERIFYPEER.
func DangerAcceptInvalidCertificates(on bool) Option {
	return both(dangerAcceptInvalidCertificates(on))
}

type dangerAcceptInvalidCertificates bool

func (dangerAcceptInvalidCertificates) validate() error { return nil }

func (s dangerAcceptInvalidCertificates) encodeEnd(e tlsEnd) {
	if s {
		e.long(optSSLVerifyPeer, 0)
	}
}

// DangerAcceptInvalidHostnames takes a certificate for good that was made out to
// another host: anyone with a certificate can be in between. To reach a host
// under another address use [ConnectTo] or [Resolve] instead.
//
// Default: false. CURLOPT_SSL_VERIFYHOST.
func DangerAcceptInvalidHostnames(on bool) Option {
	return both(dangerAcceptInvalidHostnames(on))
}

type dangerAcceptInvalidHostnames bool

func (dangerAcceptInvalidHostnames) validate() error { return nil }

func (s dangerAcceptInvalidHostnames) encodeEnd(e tlsEnd) {
	if s {
		e.long(optSSLVerifyHost, 0)
	}
}
