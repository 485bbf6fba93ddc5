package config

const defaultMaxHead = 1 << 20

// MaxResponseHeadBytes bounds the size of a response's head, with that of the
// interim responses before it. A longer one fails the request. libcurl has
// limits of its own beneath: 100 KiB for one header line and, from 8.3 on and in
// Debian's 7.88.1, 300 KiB for a head.
//
// Unit: bytes, 1 to 1 GiB. Default: 1 MiB, as in net/http.
func MaxResponseHeadBytes(n int) Option { return both(maxResponseHeadBytes(n)) }

// MaxResponseHeadBytes returns the value of the option of that name.
func (r *RequestConfig) MaxResponseHeadBytes() int {
	if s, ok := lookup[maxResponseHeadBytes](r); ok {
		return int(s)
	}
	return defaultMaxHead
}

type maxResponseHeadBytes int

func (s maxResponseHeadBytes) validate() error {
	return checkRange("MaxResponseHeadBytes", int(s), 1, 1<<30)
}
