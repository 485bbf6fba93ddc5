package retry

import "net/http"

// Request is what the rule needs to know of a request.
type Request struct {
	Method string // "" is GET
	// Key tells that the request has a key by which the server knows it again; see
	// [HasKey].
	Key bool
	// Replayable tells that the body can be sent again: there is none, it is in memory
	// or can be opened anew, or nothing of it was read.
	Replayable bool
}

// Repeatable reports whether the request may reach a server twice: by its method, or
// because it has a key.
func (r Request) Repeatable() bool { return Idempotent(r.Method) || r.Key }

// Idempotent reports whether a request with this method may reach the server twice
// (RFC 9110, section 9.2.2).
func Idempotent(method string) bool {
	return Safe(method) || method == http.MethodPut || method == http.MethodDelete
}

// Safe reports whether a request with this method asks for nothing but an answer
// (RFC 9110, section 9.2.1).
func Safe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// HasKey reports whether a request with this header says that it may be repeated: by an
// Idempotency-Key or X-Idempotency-Key, as net/http has it. A key without a value is
// not sent, and counts.
func HasKey(h http.Header) bool {
	_, key := h["Idempotency-Key"]
	_, xkey := h["X-Idempotency-Key"]
	return key || xkey
}
