package config

// Decompression asks servers for compressed bodies (Accept-Encoding, unless the
// request has one itself) and undoes the compression. Decoding is done in Go, not
// by libcurl, so that a body cut short is an error.
//
// Default: true. false asks for nothing and leaves bodies as they come.
func Decompression(on bool) Option { return both(decompression(on)) }

// Decompression returns the value of the option of that name.
func (r *RequestConfig) Decompression() bool {
	s, ok := lookup[decompression](r)
	return bool(s) || !ok
}

type decompression bool

func (decompression) validate() error { return nil }
