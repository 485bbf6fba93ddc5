package server

import (
	"net/http"
	"strconv"
)

// refusal is an answer of the server's own to what it will not hand to a handler. The connection
// ends with it: where the next request begins is in doubt, or does not matter any more.
type refusal struct {
	status int
	why    string // says nothing of what the client sent
}

func (r *refusal) Error() string {
	return strconv.Itoa(r.status) + " " + http.StatusText(r.status) + ": " + r.why
}

func bad(why string) *refusal { return &refusal{http.StatusBadRequest, why} }

var (
	errHeadTooLarge  = &refusal{http.StatusRequestHeaderFieldsTooLarge, "the head is too large"}
	errTooManyFields = &refusal{http.StatusRequestHeaderFieldsTooLarge, "the head has too many fields"}
	errURITooLong    = &refusal{http.StatusRequestURITooLong, "the request target is too long"}
	errBodyTooLarge  = &refusal{http.StatusRequestEntityTooLarge, "the body is too large"}
	errVersion       = &refusal{http.StatusHTTPVersionNotSupported, "this is not HTTP/1"}
	errCoding        = &refusal{http.StatusNotImplemented, "the transfer coding is not known"}
	errExpectation   = &refusal{http.StatusExpectationFailed, "the expectation cannot be met"}
	errHeadTimeout   = &refusal{http.StatusRequestTimeout, "the head came too slowly"}
	errBodyTimeout   = &refusal{http.StatusRequestTimeout, "the body came too slowly"}
)

// append adds the refusal's answer to b.
func (r *refusal) append(b []byte) []byte {
	text := r.Error() + "\n"
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(r.status)...)
	b = append(b, "\r\nDate: "...)
	b = appendDate(b)
	b = append(b, "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(b, "\r\nConnection: close\r\n\r\n"...)
	return append(b, text...)
}
