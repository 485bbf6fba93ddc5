package handler

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
	"golang.org/x/net/idna"
)

// encodeURL gives libcurl the URL. What its parser would change or refuse goes
// into the request target instead, byte for byte.
func (h *Handler) encodeURL(o *cgo.Options) error {
	u := h.spec.Request.URL
	host, err := asciiHost(u.Host)
	if err != nil {
		return err
	}
	if h.plan.ServerName != "" && u.Scheme == "https" {
		host = h.connectTo(o, host)
	}
	target := h.target
	if h.spec.Request.Method == http.MethodConnect && h.plan.Target == "" {
		switch {
		case u.Opaque != "":
			target = u.Opaque
		case u.Path == "" && h.spec.Request.Host != "":
			target = h.spec.Request.Host
		case u.Path == "":
			target = u.Host
		}
	}
	plain := plainTarget(target)
	proxied := false // by one that is told the URL
	if u.Scheme == "http" && (h.plan.Target != "" || !plain) {
		p, err := h.plan.Proxy(u)
		if err != nil {
			return err
		}
		proxied = p != nil && strings.HasPrefix(p.Scheme, "http") && !h.plan.Tunnel && !h.spec.WebSocket
	}
	if plain && (!proxied || h.plan.Target == "") {
		o.String(cgo.OptURL, h.wireScheme(), "://", host, target)
		return nil
	}
	o.String(cgo.OptURL, h.wireScheme(), "://", host, "/")
	if proxied && h.plan.Target == "" && strings.HasPrefix(target, "/") {
		target = strings.Join([]string{u.Scheme, "://", host, target}, "") // a proxy wants the absolute form
	}
	o.String(cgo.OptRequestTarget, target)
	return nil
}

// connectTo returns the host of the URL that libcurl is given under the plan's ServerName. It verifies
// the name in the URL: the name goes there, and the connection is sent to the host.
//
//go:noinline
func (h *Handler) connectTo(o *cgo.Options, host string) string {
	name, port := h.plan.ServerName, Port(h.spec.Request.URL)
	o.List(cgo.OptConnectTo, []string{name + ":" + port + ":" + hostOnly(host) + ":" + port})
	return name + ":" + port
}

// wireScheme is the scheme by which libcurl knows what is wanted.
func (h *Handler) wireScheme() string {
	if h.spec.WebSocket {
		return "ws" + strings.TrimPrefix(h.url.Scheme, "http")
	}
	return h.url.Scheme
}

// plainTarget reports whether libcurl sends the target as it is when it is part
// of the URL.
func plainTarget(s string) bool {
	if s == "" || s[0] != '/' || s[len(s)-1] == '?' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || c == '#' || c == '\\' {
			return false
		}
	}
	return true
}

func asciiHost(host string) (string, error) {
	for i := 0; i < len(host); i++ {
		if host[i] >= 0x80 {
			a, err := idna.Lookup.ToASCII(hostOnly(host))
			if err != nil {
				return "", failure.Newf(failure.InvalidRequest, "host %q: %w", host, err)
			}
			return a + host[len(hostOnly(host)):], nil
		}
	}
	return host, nil
}

func hostOnly(hostport string) string {
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 && !strings.HasSuffix(hostport, "]") {
		return hostport[:i]
	}
	return hostport
}

// Port is the port of u, that of its scheme if it names none.
func Port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// PlainTarget reports whether a target can be a part of the URL that libcurl is given.
func PlainTarget(s string) bool { return plainTarget(s) }
