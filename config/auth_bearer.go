package config

// BearerAuth sends the token with the request (RFC 6750), as it is to whoever
// sees it: use it with https.
//
// The token must not be empty, and have no blanks or control characters, and only
// ASCII. For what is said of all ...Auth options see [BasicAuth]. CURLOPT_HTTPAUTH,
// CURLOPT_XOAUTH2_BEARER.
func BearerAuth(token string) Option {
	return both(auth{credentials: credentials{schemes: AuthBearer}, token: token})
}

// checkToken does not insist on the alphabet of RFC 6750: servers that hand out
// other tokens take them back.
func checkToken(option, token string) error {
	switch {
	case token == "":
		return invalid(option, "xxxxx", "the token is empty")
	case len(token) > maxCredential:
		return invalid(option, "xxxxx", "the token is longer than %d bytes", maxCredential)
	}
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c >= 0x7f {
			return invalid(option, "xxxxx", "the token has a blank, a control character or one that is not ASCII at byte %d", i)
		}
	}
	return nil
}
