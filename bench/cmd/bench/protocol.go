package main

// protocol is what client and server speak.
type protocol string

const (
	h1      protocol = "HTTP/1.1"
	overTLS protocol = "HTTP/1.1 over TLS 1.3"
	h2      protocol = "HTTP/2"
	h3      protocol = "HTTP/3"
)

// short is its part of a row's name.
func (p protocol) short() string {
	return map[protocol]string{h1: "h1", overTLS: "tls", h2: "h2", h3: "h3"}[p]
}

// client is what clients are told.
func (p protocol) client(ca string) []string {
	switch p {
	case overTLS:
		return []string{"--ca", ca}
	case h2:
		return []string{"--ca", ca, "--http2"}
	case h3:
		return []string{"--ca", ca, "--http3"}
	}
	return nil
}

// server is what the servers in Go are told.
func (p protocol) server(cert, key string) []string {
	switch p {
	case overTLS, h3:
		return []string{"-cert", cert, "-key", key}
	case h2:
		return []string{"-cert", cert, "-key", key, "-http2"}
	}
	return nil
}

func (p protocol) scheme() string {
	if p == h1 {
		return "http://"
	}
	return "https://"
}
