package handler

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// encodeHeaders lists the header lines, and takes back those that libcurl would
// add by itself.
func (h *Handler) encodeHeaders(o *cgo.Options, setup *cgo.Setup) {
	req := h.spec.Request
	l := o.BeginList(cgo.OptHTTPHeader)
	host := req.Host
	if host == "" && h.plan.ServerName != "" {
		host = req.URL.Host
	}
	if host != "" && (host != req.URL.Host || h.plan.ServerName != "") && req.Method != http.MethodConnect {
		if a, err := asciiHost(host); err == nil {
			host = a
		}
		l.Add("Host: ", host)
	}
	ua, ok := req.Header["User-Agent"]
	if !ok {
		if ua, ok = h.plan.Defaults["User-Agent"]; !ok {
			l.Add("User-Agent: ", h.plan.UserAgent)
		}
	}
	if len(ua) > 0 && ua[0] != "" {
		l.Add("User-Agent: ", ua[0])
	} else if ok {
		l.Add("User-Agent:")
	}
	for k, vv := range req.Header {
		h.addField(&l, k, vv)
	}
	for k, vv := range h.plan.Defaults {
		if !hasHeader(req.Header, k) {
			h.addField(&l, k, vv)
		}
	}
	if len(req.Trailer) > 0 {
		names := make([]string, 0, len(req.Trailer))
		for k := range req.Trailer {
			names = append(names, http.CanonicalHeaderKey(k))
		}
		l.Add("Trailer: ", strings.Join(names, ","))
	}
	if u := req.URL.User; u != nil && !h.plan.RoundTripper && !hasHeader(req.Header, "Authorization") && !h.plan.Auth {
		// As curl and http.Client do with http://user:password@host/.
		password, _ := u.Password()
		l.Add("Authorization: Basic ", base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if req.Close && !hasHeader(req.Header, "Connection") {
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
	if len(accept) == 0 && (given || h.plan.RoundTripper) {
		l.Add("Accept:")
	}
	if len(req.Header["Content-Type"]) == 0 && (!h.source.IsNone() || h.emptyPost()) {
		l.Add("Content-Type:") // libcurl would call it a form
	}
	if len(req.Header["Expect"]) == 0 {
		if h.plan.Expect && !hasHeader(req.Header, "Expect") && !h.plan.RoundTripper && !h.source.IsNone() && !h.upgrade {
			l.Add("Expect: 100-continue")
			setup.ExpectSent = true
		} else if !h.source.IsNone() || h.upgrade {
			l.Add("Expect:") // libcurl would ask before a big body
		}
	}
	if h.plan.Decompress && !hasHeader(req.Header, "Accept-Encoding") && !hasHeader(req.Header, "Range") &&
		req.Method != http.MethodHead && !h.upgrade {
		h.acceptAdded = true
		l.Add("Accept-Encoding: ", h.acceptEncoding())
	}
	l.End()
}

// addField lists one field, but for those that libcurl or the framing sets.
func (h *Handler) addField(l *cgo.ListWriter, k string, vv []string) {
	switch k {
	case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
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
