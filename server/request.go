package server

import (
	"bufio"
	"bytes"
	"net/http"
	"sync"
)

// requestReader is what http.ReadRequest wants in order to read a head.
type requestReader struct {
	bytes bytes.Reader
	buf   bufio.Reader
}

var requestReaders = sync.Pool{New: func() any { return new(requestReader) }}

// parse makes a request of a head that the scan has let through. What http.ReadRequest reads in it
// must be what the scan read. The body is not there yet.
func (s *scanner) parse(b []byte) (*http.Request, error) {
	r := requestReaders.Get().(*requestReader)
	defer requestReaders.Put(r)
	r.bytes.Reset(b[s.begin:s.size])
	r.buf.Reset(&r.bytes)
	req, err := http.ReadRequest(&r.buf)
	r.bytes.Reset(nil)
	if err != nil {
		return nil, bad("malformed request")
	}
	length := max(s.length, 0)
	if s.chunked {
		length = -1
	}
	if req.ContentLength != length || s.chunked != (len(req.TransferEncoding) == 1) ||
		req.Method != string(s.method.of(b)) || req.RequestURI != string(s.target.of(b)) ||
		r.buf.Buffered() > 0 {
		return nil, bad("malformed request")
	}
	req.Body = http.NoBody
	return req, nil
}
