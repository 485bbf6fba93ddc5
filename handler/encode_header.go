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
//
// It is one short list of calls because a goroutine that waits in Send keeps the stack
// that the deepest of them needed: lines with their parts, all in one function, doubled it.
func (h *Handler) encodeHeaders(o *cgo.Options, setup *cgo.Setup) error {
	l := headerLines{ListWriter: o.BeginList(cgo.OptHTTPHeader), order: h.plan.Order}
	if err := h.addHost(&l); err != nil {
		return err
	}
	h.addUserAgent(&l)
	for k, vv := range h.spec.Request.Header {
		h.addField(&l, k, vv)
	}
	for k, vv := range h.plan.Defaults {
		if !h.has(k) && !h.plan.Raw {
			h.addField(&l, k, vv)
		}
	}
	h.addOptions(&l)
	h.addTrailer(&l)
	h.addUserinfo(&l)
	h.addConnection(&l)
	h.addAccept(&l)
	h.addExpect(&l, setup)
	h.addEncoding(&l)
	if a := h.spec.Authorization; a != "" {
		l.Add("Authorization: ", a)
	}
	if l.places("Content-Length") {
		h.addLength(&l)
	}
	l.End()
	return nil
}

// has reports whether the request has a field of its own.
func (h *Handler) has(key string) bool {
	if h.plan.Raw {
		return hasFolded(h.spec.Request.Header, key)
	}
	return hasHeader(h.spec.Request.Header, key)
}

// raw reports whether the field is sent with the rest, as it is.
func (h *Handler) raw(key string) bool { return h.plan.Raw && h.has(key) }

// addHost lists the Host field where it is not what libcurl makes of the URL, and the
// signature, which is over it.
func (h *Handler) addHost(l *headerLines) error {
	req := h.spec.Request
	if h.plan.AWS {
		if done, err := h.addSignature(l); done || err != nil {
			return err
		}
	}
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
	return nil
}

func (h *Handler) addUserAgent(l *headerLines) {
	ua, ok := h.spec.Request.Header["User-Agent"]
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
	} else if ok && !h.raw("User-Agent") {
		l.Add("User-Agent:")
	}
}

// addOptions lists what options of the config package stand for.
func (h *Handler) addOptions(l *headerLines) {
	if h.plan.Range != "" && !h.has("Range") {
		l.Add("Range: ", h.plan.Range)
	}
	if h.plan.TransferCoded && !h.has("Te") && !h.upgrade && h.spec.Request.Method != http.MethodHead {
		l.Add("TE: gzip")
		l.Add("Connection: TE") // RFC 9110, section 10.1.4
	}
	if c := &h.plan.Condition; c[0] != "" && !h.has(c[0]) {
		l.Add(c[0], ": ", c[1])
	}
}

func (h *Handler) addTrailer(l *headerLines) {
	if len(h.spec.Request.Trailer) == 0 {
		return
	}
	names := make([]string, 0, len(h.spec.Request.Trailer))
	for k := range h.spec.Request.Trailer {
		names = append(names, http.CanonicalHeaderKey(k))
	}
	l.Add("Trailer: ", strings.Join(names, ","))
}

// addUserinfo does as curl and http.Client do with http://user:password@host/.
func (h *Handler) addUserinfo(l *headerLines) {
	u := h.spec.Request.URL.User
	if u == nil || h.plan.RoundTripper || h.has("Authorization") || h.plan.Auth {
		return
	}
	password, _ := u.Password()
	l.Add("Authorization: Basic ", base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
}

func (h *Handler) addConnection(l *headerLines) {
	if h.spec.Request.Close && !h.has("Connection") {
		l.Add("Connection: close")
	}
	if a := h.spec.Alternative; a != nil && !hasHeader(h.spec.Request.Header, "Alt-Used") {
		l.Add("Alt-Used: ", a.Authority())
	}
	if h.upgrade {
		l.Add("Transfer-Encoding:") // the stream behind the head is raw
	}
}

// addAccept and addExpect: a field that is there without a value is not to be sent, by
// libcurl neither. Where there is none it sends the Accept of curl, which net/http does not.
func (h *Handler) addAccept(l *headerLines) {
	accept, given := h.spec.Request.Header["Accept"]
	if !given {
		accept, given = h.plan.Defaults["Accept"]
	}
	switch {
	case h.raw("Accept"):
	case h.plan.Raw, len(accept) == 0 && (given || h.plan.RoundTripper):
		l.Add("Accept:")
	case !given && len(l.order) > 0:
		l.Add("Accept: */*") // libcurl's own has another place
	}
}

func (h *Handler) addExpect(l *headerLines, setup *cgo.Setup) {
	header := h.spec.Request.Header
	if len(header["Content-Type"]) == 0 && !h.raw("Content-Type") && (!h.source.IsNone() || h.emptyPost()) {
		l.Add("Content-Type:") // libcurl would call it a form
	}
	if h.raw("Expect") {
		setup.ExpectSent = true
	} else if len(header["Expect"]) == 0 {
		if h.plan.Expect && !h.has("Expect") && !h.plan.RoundTripper && !h.source.IsNone() && !h.upgrade {
			l.Add("Expect: 100-continue")
			setup.ExpectSent = true
		} else if !h.source.IsNone() || h.upgrade {
			l.Add("Expect:") // libcurl would ask before a big body
		}
	}
}

func (h *Handler) addEncoding(l *headerLines) {
	if h.plan.Decompress && !h.plan.Raw && !h.has("Accept-Encoding") && !h.has("Range") && h.plan.Range == "" &&
		h.spec.Request.Method != http.MethodHead && !h.upgrade {
		h.acceptAdded = true
		l.Add("Accept-Encoding: ", h.acceptEncoding())
	}
}

func (h *Handler) addLength(l *headerLines) {
	if n, ok := h.bodyLength(); ok {
		l.Add("Content-Length: ", strconv.FormatInt(n, 10))
	}
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
