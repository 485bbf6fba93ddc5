package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ratmom/ratmom/internal/http1"
)

// commit writes the answer's head, now that its body begins with what is given, or has ended with
// it. What frames the body, and whether the connection goes on, is settled here by the rules of
// net/http's server.
func (ex *exchange) commit(body []byte) {
	ex.committed = true
	c := ex.conn
	if ex.body != nil && !ex.closeAfter && !ex.fullDuplex.Load() {
		// Many clients send all of a request before they read: they must not wait for us, nor we for them.
		whole, refused := ex.body.drain()
		if !whole {
			ex.closeAfter, ex.linger = true, true
		}
		if refused != nil {
			ex.refused = refused
			ex.out.wire = refused.append(ex.out.wire)
			return
		}
	}
	h := ex.snapshot
	if h == nil {
		h = ex.header
	}
	b := ex.out.wire
	allowed := bodyAllowed(ex.status)
	trailers := ex.declareTrailers(h)
	coding := get(h, "Transfer-Encoding")
	if ex.done.Load() && !trailers && coding == "" && allowed && ex.length < 0 && (!ex.head || len(body) > 0) {
		if _, set := h["Content-Length"]; !set {
			ex.length = int64(len(body))
		}
	}
	if ex.length >= 0 && coding != "" && coding != "identity" {
		c.server.logf("server: both Transfer-Encoding of %q and Content-Length of %d", coding, ex.length)
		ex.length = -1
	}
	// Whether the client finds the end of the body without the connection's.
	bodiless := ex.head || !allowed
	switch {
	case ex.tunnels():
		ex.length, ex.closeAfter = -1, true
	case bodiless || ex.length >= 0:
	case ex.http10 || coding == "identity":
		ex.closeAfter = true
	default:
		ex.chunking = true
	}
	ex.decideClose(h["Connection"])
	upgrading := ex.status == http.StatusSwitchingProtocols

	b = appendStatus(b, ex.http10, ex.status)
	b = appendFields(b, h, func(key string) bool {
		switch key {
		case "Content-Type":
			return ex.status == http.StatusNotModified
		case "Connection":
			return ex.closeAfter && !upgrading
		}
		return strings.HasPrefix(key, http.TrailerPrefix)
	})
	if _, set := h["Date"]; !set {
		b = append(appendDate(append(b, "Date: "...)), "\r\n"...)
	}
	if ex.length >= 0 && allowed {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), ex.length, 10), "\r\n"...)
	}
	if _, set := h["Content-Type"]; !set && allowed && len(body) > 0 && coding == "" && get(h, "Content-Encoding") == "" {
		b = appendField(b, "Content-Type", http.DetectContentType(body))
	}
	switch {
	case ex.closeAfter && !upgrading:
		b = ex.appendClose(b, h["Connection"])
	case !ex.closeAfter && ex.keepAlive10 && get(h, "Connection") == "":
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	if ex.chunking {
		if coding != "" && !strings.Contains(strings.ToLower(coding), "chunked") {
			b = appendField(b, "Transfer-Encoding", coding) // the handler's own, beneath the chunks
		}
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	ex.out.wire = append(b, "\r\n"...)
}

// tunnels reports whether the client takes all behind the head for the bytes of a tunnel (RFC 9110, section
// 9.3.6): nothing frames them, and no request follows.
func (ex *exchange) tunnels() bool {
	return ex.req.Method == http.MethodConnect && ex.status >= 200 && ex.status < 300
}

// decideClose ends the connection with this answer if either side wants that, or HTTP/1.0 does.
func (ex *exchange) decideClose(connection []string) {
	if ex.last || ex.status == http.StatusSwitchingProtocols || !ex.conn.server.keepsAlive() {
		ex.closeAfter = true
	}
	for option := range elements(connection) {
		ex.closeAfter = ex.closeAfter || equalFold(option, "close")
	}
}

// appendClose says that the connection ends, beside what else the handler has named: fields that are
// for the next hop alone. To HTTP/1.0, whose connections end by themselves, the handler says it or nobody.
func (ex *exchange) appendClose(b []byte, connection []string) []byte {
	said := !ex.http10
	var options []string
	for option := range elements(connection) {
		switch {
		case equalFold(option, "close"):
			said = true
		case option != "" && !equalFold(option, "keep-alive"):
			options = append(options, option)
		}
	}
	if said {
		options = append(options, "close")
	}
	if len(options) == 0 {
		return b
	}
	return appendField(b, "Connection", strings.Join(options, ", "))
}

// declareTrailers notes the fields that are to come behind the body.
func (ex *exchange) declareTrailers(h http.Header) bool {
	any := false
	for key := range h {
		any = any || strings.HasPrefix(key, http.TrailerPrefix)
	}
	for name := range elements(h["Trailer"]) {
		if key := http.CanonicalHeaderKey(name); key != "" && http1.MayTrail(key) {
			ex.trailers = append(ex.trailers, key)
		}
	}
	return any || len(h["Trailer"]) > 0
}

func appendStatus(b []byte, http10 bool, status int) []byte {
	if http10 {
		b = append(b, "HTTP/1.0 "...)
	} else {
		b = append(b, "HTTP/1.1 "...)
	}
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if text := http.StatusText(status); text != "" {
		b = append(b, text...)
	} else {
		b = strconv.AppendInt(append(b, "status code "...), int64(status), 10)
	}
	return append(b, "\r\n"...)
}

// appendFields adds the fields in the order of their names, but those that leaveOut names, and those that
// frame the body: the server has these.
func appendFields(b []byte, h http.Header, leaveOut func(string) bool) []byte {
	var few [16]string
	keys := few[:0]
	for key := range h {
		if !frames(key) && !leaveOut(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		for _, v := range h[key] {
			b = appendField(b, key, v)
		}
	}
	return b
}

// frames tells the fields that frame a body, however a handler writes them.
func frames(key string) bool {
	switch len(key) {
	case len("content-length"):
		return equalFold(key, "content-length")
	case len("transfer-encoding"):
		return equalFold(key, "transfer-encoding")
	}
	return false
}

// appendField adds a field. A name that is none is left out; line ends and other controls in a value
// become spaces.
func appendField(b []byte, key, value string) []byte {
	if key == "" || !all(key, &isToken) {
		return b
	}
	b = append(append(b, key...), ": "...)
	value = trim(value)
	if all(value, &isValue) {
		return append(append(b, value...), "\r\n"...)
	}
	for i := 0; i < len(value); i++ {
		if isValue[value[i]] {
			b = append(b, value[i])
		} else {
			b = append(b, ' ')
		}
	}
	return append(b, "\r\n"...)
}
