package handler

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// encodeHeaders lists the header lines, and takes back those that libcurl would
// add by itself.
func (h *Handler) encodeHeaders(o *cgo.Options, setup *cgo.Setup) error {
	req := h.spec.Request
	signer, err := h.newSigner()
	if err != nil {
		return err
	}
	l := headerLines{ListWriter: o.BeginList(cgo.OptHTTPHeader), order: h.plan.Order}
	has := func(key string) bool { return hasHeader(req.Header, key) }
	if h.plan.Raw {
		has = func(key string) bool { return hasFolded(req.Header, key) }
	}
	raw := func(key string) bool { return h.plan.Raw && has(key) } // sent with the rest, as it is
	host := req.Host
	if host == "" && h.plan.ServerName != "" {
		host = req.URL.Host
	}
	if signer != nil {
		if host, err = h.sentHost(); err != nil {
			return err
		}
		l.Add("Host: ", host)
		if err := h.sign(&l, signer, host); err != nil {
			return err
		}
	} else if host != "" && (host != req.URL.Host || h.plan.ServerName != "") && req.Method != http.MethodConnect {
		if a, err := asciiHost(host); err == nil {
			host = a
		}
		l.Add("Host: ", host)
	}
	ua, ok := req.Header["User-Agent"]
	if h.plan.Raw {
		ua, ok = nil, true // what the map has is sent with the rest
	}
	if !ok {
		if ua, ok = h.plan.Defaults["User-Agent"]; !ok {
			l.Add("User-Agent: ", h.plan.UserAgent)
		}
	}
	if len(ua) > 0 && ua[0] != "" {
		l.Add("User-Agent: ", ua[0])
	} else if ok && !raw("User-Agent") {
		l.Add("User-Agent:")
	}
	for k, vv := range req.Header {
		h.addField(&l, k, vv)
	}
	for k, vv := range h.plan.Defaults {
		if !has(k) && !h.plan.Raw {
			h.addField(&l, k, vv)
		}
	}
	if h.plan.Range != "" && !has("Range") {
		l.Add("Range: ", h.plan.Range)
	}
	if h.plan.TransferCoded && !has("Te") && !h.upgrade && req.Method != http.MethodHead {
		l.Add("TE: gzip")
		l.Add("Connection: TE") // RFC 9110, section 10.1.4
	}
	if c := h.plan.Condition; c[0] != "" && !has(c[0]) {
		l.Add(c[0], ": ", c[1])
	}
	if len(req.Trailer) > 0 {
		names := make([]string, 0, len(req.Trailer))
		for k := range req.Trailer {
			names = append(names, http.CanonicalHeaderKey(k))
		}
		l.Add("Trailer: ", strings.Join(names, ","))
	}
	if u := req.URL.User; u != nil && !h.plan.RoundTripper && !has("Authorization") && !h.plan.Auth {
		// As curl and http.Client do with http://user:password@host/.
		password, _ := u.Password()
		l.Add("Authorization: Basic ", base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if req.Close && !has("Connection") {
		l.Add("Connection: close")
	}
	if a := h.spec.Alternative; a != nil && !hasHeader(req.Header, "Alt-Used") {
		l.Add("Alt-Used: ", a.Authority())
	}
	if h.upgrade {
		l.Add("Transfer-Encoding:") // the stream behind the head is raw
	}
	// A field that is there without a value is not to be sent, by libcurl neither.
	// Where there is none it sends the Accept of curl, which net/http does not.
	accept, given := req.Header["Accept"]
	if !given {
		accept, given = h.plan.Defaults["Accept"]
	}
	switch {
	case raw("Accept"):
	case h.plan.Raw, len(accept) == 0 && (given || h.plan.RoundTripper):
		l.Add("Accept:")
	case !given && len(l.order) > 0:
		l.Add("Accept: */*") // libcurl's own has another place
	}
	if len(req.Header["Content-Type"]) == 0 && !raw("Content-Type") && (!h.source.IsNone() || h.emptyPost()) {
		l.Add("Content-Type:") // libcurl would call it a form
	}
	if raw("Expect") {
		setup.ExpectSent = true
	} else if len(req.Header["Expect"]) == 0 {
		if h.plan.Expect && !has("Expect") && !h.plan.RoundTripper && !h.source.IsNone() && !h.upgrade {
			l.Add("Expect: 100-continue")
			setup.ExpectSent = true
		} else if !h.source.IsNone() || h.upgrade {
			l.Add("Expect:") // libcurl would ask before a big body
		}
	}
	if h.plan.Decompress && !h.plan.Raw && !has("Accept-Encoding") && !has("Range") && h.plan.Range == "" &&
		req.Method != http.MethodHead && !h.upgrade {
		h.acceptAdded = true
		l.Add("Accept-Encoding: ", h.acceptEncoding())
	}
	if a := h.spec.Authorization; a != "" {
		l.Add("Authorization: ", a)
	}
	if l.places("Content-Length") {
		if n, ok := h.bodyLength(); ok {
			l.Add("Content-Length: ", strconv.FormatInt(n, 10))
		}
	}
	l.End()
	return nil
}

// Sets reports whether a field of a request is not listed as it is: libcurl or the
// framing sets it.
func (p *Plan) Sets(name string) bool {
	if p.Raw {
		name = http.CanonicalHeaderKey(name)
	}
	switch name {
	case "User-Agent":
		return !p.Raw
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return false
}

// addField lists one field, but for those that libcurl or the framing sets.
func (h *Handler) addField(l *headerLines, k string, vv []string) {
	if h.plan.Sets(k) {
		return
	}
	if h.plan.TitleCase {
		k = http.CanonicalHeaderKey(k)
	}
	for _, v := range vv {
		if v = strings.Trim(v, " \t"); v == "" {
			l.Add(k, ";") // libcurl's way to send a header without a value
		} else {
			l.Add(k, ": ", v)
		}
	}
}

// hasFolded is hasHeader for names in any case.
func hasFolded(h http.Header, key string) bool {
	for k := range h {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

func (h *Handler) acceptEncoding() string {
	if h.plan.RoundTripper {
		return "gzip"
	}
	return "gzip, deflate, br, zstd"
}

// emptyPost reports whether an absent body is sent as an empty one.
func (h *Handler) emptyPost() bool {
	switch h.spec.Request.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return h.source.IsNone() && !h.upgrade
	}
	return false
}
