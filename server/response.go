package server

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/ratmom/ratmom/internal/http1"
)

// response is the answer's part of an exchange.
type response struct {
	out      *output
	header   http.Header // the handler's
	snapshot http.Header // as it was at WriteHeader, if the handler may have changed it since; the output's

	head, http10, keepAlive10 bool // of the request

	status    int
	wrote     bool // WriteHeader was called
	committed bool // the head is written
	chunking  bool
	length    int64 // the Content-Length, or -1
	written   int64 // of the body, by the handler
	trailers  []string
	refused   *refusal // the answer is this instead

	closeAfter bool // the connection ends with this answer
	linger     bool // while the client may be sending
}

var errReturned = errors.New("server: the handler has returned")

var (
	_ http.ResponseWriter = (*exchange)(nil)
	_ http.Flusher        = (*exchange)(nil)
	_ http.Hijacker       = (*exchange)(nil)
	_ io.StringWriter     = (*exchange)(nil)
	_ io.ReaderFrom       = (*exchange)(nil)
)

// Header is http.ResponseWriter's.
func (ex *exchange) Header() http.Header {
	if ex.header == nil {
		ex.header = make(http.Header)
	}
	return ex.header
}

// WriteHeader is http.ResponseWriter's. Informational answers leave at once, if it is their turn.
func (ex *exchange) WriteHeader(status int) {
	switch {
	case ex.hijacked:
		ex.conn.server.logf("server: WriteHeader on a hijacked connection")
		return
	case ex.wrote:
		ex.conn.server.logf("server: superfluous WriteHeader call: %d after %d", status, ex.status)
		return
	case ex.done.Load():
		return
	case status < 100 || status > 999:
		panic("invalid WriteHeader code " + strconv.Itoa(status))
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		ex.inform(status)
		return
	}
	ex.decide(status)
}

// decide fixes the final status, and the length that the handler has given.
func (ex *exchange) decide(status int) {
	ex.wrote, ex.status = true, status
	ex.forgoContinue()
	if text := get(ex.header, "Content-Length"); text != "" {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			ex.conn.server.logf("server: invalid Content-Length of %q", text)
			ex.header.Del("Content-Length")
		} else {
			ex.length = int64(n)
		}
	}
	if !ex.done.Load() {
		// The handler may hold the map, or ask for it. That the values are shared does no harm: to set
		// or add one does not change those that are there.
		ex.snapshot = ex.out.header
		maps.Copy(ex.snapshot, ex.header)
	}
}

// inform writes an informational answer, which HTTP/1.0 does not have.
func (ex *exchange) inform(status int) {
	if ex.http10 {
		return
	}
	if status == http.StatusContinue {
		ex.stopContinue()
	}
	b := appendStatus(nil, false, status)
	if status != http.StatusContinue {
		b = appendFields(b, ex.header, func(string) bool { return false })
	}
	if ex.put(append(b, "\r\n"...)) == nil {
		_ = ex.flush()
	}
}

// Write is http.ResponseWriter's.
func (ex *exchange) Write(p []byte) (int, error) { return write(ex, p) }

// WriteString is io.StringWriter's.
func (ex *exchange) WriteString(p string) (int, error) { return write(ex, p) }

func write[T string | []byte](ex *exchange, p T) (int, error) {
	switch {
	case ex.hijacked:
		if len(p) > 0 {
			ex.conn.server.logf("server: Write on a hijacked connection")
		}
		return 0, http.ErrHijacked
	case ex.done.Load():
		return 0, errReturned
	}
	if !ex.wrote {
		ex.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case !bodyAllowed(ex.status):
		return 0, http.ErrBodyNotAllowed
	case ex.refused != nil:
		return 0, ex.refused
	}
	ex.written += int64(len(p))
	if ex.length >= 0 && ex.written > ex.length {
		return 0, http.ErrContentLength
	}
	o := ex.out
	if len(o.body)+len(p) <= bodySize {
		o.body = append(o.body, p...)
		return len(p), nil
	}
	if err := ex.spill(); err != nil {
		return 0, err
	}
	if len(p) < bodySize {
		o.body = append(o.body, p...)
		return len(p), nil
	}
	if !ex.committed {
		ex.commit([]byte(p))
		if ex.refused != nil {
			return 0, ex.refused
		}
	}
	if err := ex.emit([]byte(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// spill writes out the body that was held back.
func (ex *exchange) spill() error {
	body := ex.out.body
	if len(body) == 0 {
		return nil
	}
	if !ex.committed {
		ex.commit(body)
	}
	ex.out.body = body[:0]
	if ex.refused != nil {
		return ex.refused
	}
	return ex.emit(body)
}

// emit writes a part of the body in its coding.
func (ex *exchange) emit(p []byte) error {
	if ex.head || len(p) == 0 {
		return nil
	}
	if !ex.chunking {
		return ex.put(p)
	}
	var size [20]byte
	if err := ex.put(append(strconv.AppendInt(size[:0], int64(len(p)), 16), "\r\n"...)); err != nil {
		return err
	}
	if err := ex.put(p); err != nil {
		return err
	}
	return ex.put([]byte("\r\n"))
}

// Flush is http.Flusher's.
func (ex *exchange) Flush() { _ = ex.FlushError() }

// FlushError is Flush for http.ResponseController. Before the exchange's turn it only notes what is to
// leave when that comes.
func (ex *exchange) FlushError() error {
	switch {
	case ex.hijacked:
		return http.ErrHijacked
	case ex.done.Load():
		return errReturned
	}
	if !ex.wrote {
		ex.WriteHeader(http.StatusOK)
	}
	if err := ex.spill(); err != nil {
		return err
	}
	if !ex.committed {
		ex.commit(nil)
	}
	if ex.refused != nil {
		return ex.refused
	}
	return ex.flush()
}

// complete writes out what is left when the handler has returned.
func (ex *exchange) complete() {
	if !ex.wrote {
		ex.decide(http.StatusOK)
	}
	body := ex.out.body
	if !ex.committed {
		ex.commit(body)
	}
	ex.out.body = body[:0]
	if ex.refused != nil {
		return
	}
	_ = ex.emit(body)
	if ex.chunking && !ex.head {
		_ = ex.put(ex.lastChunk())
	}
	if ex.length >= 0 && ex.length != ex.written && !ex.head && bodyAllowed(ex.status) {
		// The client waits for more, or would take what follows for it.
		ex.closeAfter = true
	}
}

// lastChunk ends the body, with the trailers that were declared or are marked as such.
func (ex *exchange) lastChunk() []byte {
	b := []byte("0\r\n")
	for _, key := range ex.trailers {
		for _, v := range ex.header[key] {
			b = appendField(b, key, v)
		}
	}
	for key, values := range ex.header {
		name, ok := strings.CutPrefix(key, http.TrailerPrefix)
		if name = http.CanonicalHeaderKey(name); ok && http1.MayTrail(name) {
			for _, v := range values {
				b = appendField(b, name, v)
			}
		}
	}
	return append(b, "\r\n"...)
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// get is the first value of a key in its canonical form.
func get(h http.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}
