package config

// DisallowUserinfo refuses URLs with a user name or password in them, those of
// redirects too, with ErrInvalidRequest: such a URL is often made to deceive
// (https://bank.example@evil.example).
//
// Default: false, they are sent as Basic credentials. CURLOPT_DISALLOW_USERNAME_IN_URL,
// but looked at in Go.
func DisallowUserinfo(on bool) Option { return both(disallowUserinfo(on)) }

// DisallowUserinfo returns the value of the option of that name.
func (r *RequestConfig) DisallowUserinfo() bool {
	s, _ := lookup[disallowUserinfo](r)
	return bool(s)
}

type disallowUserinfo bool

func (disallowUserinfo) validate() error { return nil }
