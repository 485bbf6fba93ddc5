package config

// ClientCertificatePassword decrypts the private key of [ClientCertificate], or its
// PKCS#12 file. A wrong one is found out when libcurl connects: the request fails with
// an error of kind ErrClientCertificate. A request with another password than its
// client's has a connection of its own.
//
// "" is none. Default: none. CURLOPT_KEYPASSWD.
func ClientCertificatePassword(password string) Option {
	return both(clientCertificatePassword(password))
}

type clientCertificatePassword string

func (s clientCertificatePassword) String() string { return masked(string(s)) }

// maxKeyPassword is what OpenSSL has room for.
const maxKeyPassword = 1023

func (s clientCertificatePassword) validate() error {
	switch bad := badByte(string(s)); {
	case bad != "":
		return invalid("ClientCertificatePassword", s, "%s", bad)
	case len(s) > maxKeyPassword:
		return invalid("ClientCertificatePassword", s, "is longer than %d bytes", maxKeyPassword)
	}
	return nil
}

func (s clientCertificatePassword) encodeEnd(e tlsEnd) {
	if s != "" {
		e.string(optKeyPasswd, string(s))
	}
}

func (s clientCertificatePassword) apart(settings) (place, string) { return overTLS, string(s) }
