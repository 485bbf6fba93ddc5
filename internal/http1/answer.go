package http1

import (
	"io"
	"net/http"
)

// Answer is the head of a final response.
type Answer struct {
	Status int
	Reason string
	Minor  int // of HTTP/1
	Header http.Header
	// Length is that of the body: 0 for one that cannot have any; -1 for one that is chunked, or ends with the
	// connection. Announced is what Content-Length says, -1 without.
	Length, Announced int64
	Chunked           bool
	Close             bool // the connection ends with it
}

var (
	errStatusLine  = malformed("malformed status line")
	errVersion     = malformed("this is not HTTP/1")
	errHeadBytes   = malformed("the head is too large")
	errHeadLines   = malformed("the head has too many fields")
	errLength      = malformed("malformed Content-Length")
	errLengths     = malformed("more than one Content-Length")
	errCoding      = malformed("a transfer coding other than chunked")
	errCodingOld   = malformed("a transfer coding in version 1.0")
	errBoth        = malformed("both Content-Length and Transfer-Encoding")
	errBodyless    = malformed("a body where there can be none")
	errSwitched    = malformed("a protocol that nobody has asked for")
	errInformation = malformed("too many informational responses")
)

// maxInformational is how many responses may come before the final one.
const maxInformational = 32

// ReadAnswer reads the head of the response to a request, and the informational responses before
// it, which are passed over. io.EOF is the end before anything has come. After any other error nobody
// knows what follows.
func ReadAnswer(in Source, method string, limits Limits) (*Answer, error) {
	for range maxInformational {
		a, err := readHead(in, limits)
		if err != nil {
			return nil, err
		}
		if err := a.frame(method); err != nil {
			return nil, err
		}
		if a.Status >= 200 {
			return a, nil
		}
	}
	return nil, errInformation
}

func readHead(in Source, limits Limits) (*Answer, error) {
	if len(in.Pending()) == 0 {
		if err := in.Fill(); err != nil {
			return nil, err
		}
	}
	left := limits.Bytes
	line, err := readLine(in, left, errStatusLine)
	if err != nil {
		return nil, err
	}
	a := &Answer{Header: http.Header{}}
	if err := a.statusLine(line); err != nil {
		return nil, err
	}
	for number := 0; ; number++ {
		if left -= len(line) + 2; left < 0 {
			return nil, errHeadBytes
		}
		if line, err = readLine(in, left, errHeadBytes); err != nil {
			return nil, err
		}
		if len(line) == 0 {
			return a, nil
		}
		if number >= limits.Lines {
			return nil, errHeadLines
		}
		name, value, err := SplitField(line)
		if err != nil {
			return nil, err
		}
		key := http.CanonicalHeaderKey(string(name))
		a.Header[key] = append(a.Header[key], string(value))
	}
}

// statusLine is "HTTP/1.1 200 OK"; the reason may be missing, with the space before it.
func (a *Answer) statusLine(line []byte) error {
	const version, status = len("HTTP/1.1"), len("HTTP/1.1 200")
	if len(line) < status || string(line[:5]) != "HTTP/" || line[6] != '.' || !Digit(line[5]) || !Digit(line[7]) ||
		line[version] != ' ' || len(line) > status && line[status] != ' ' {
		return errStatusLine
	}
	if line[5] != '1' {
		return errVersion
	}
	a.Minor = int(line[7] - '0')
	for _, c := range line[version+1 : status] {
		if !Digit(c) {
			return errStatusLine
		}
		a.Status = a.Status*10 + int(c-'0')
	}
	if a.Status < 100 || a.Status > 599 || !All(line[status:], &Value) {
		return errStatusLine
	}
	if len(line) > status {
		a.Reason = string(line[status+1:])
	}
	return nil
}

// frame finds out where the response ends (RFC 9112, section 6.3).
func (a *Answer) frame(method string) error {
	a.Announced = -1
	switch lengths := a.Header["Content-Length"]; {
	case len(lengths) > 1:
		return errLengths
	case len(lengths) == 1:
		n, err := parseLength(lengths[0])
		if err != nil {
			return err
		}
		a.Announced = n
	}
	codings := a.Header["Transfer-Encoding"]
	switch {
	case len(codings) == 0:
	case len(codings) > 1 || !EqualFold(codings[0], "chunked"):
		return errCoding
	case a.Minor == 0:
		return errCodingOld
	case a.Announced >= 0:
		return errBoth
	}
	a.Chunked = len(codings) > 0
	a.connection()
	switch {
	case a.Status == http.StatusSwitchingProtocols:
		return errSwitched
	case a.Status < 200 || a.Status == http.StatusNoContent:
		if a.Chunked || a.Announced > 0 {
			return errBodyless
		}
	case a.Status == http.StatusNotModified || method == http.MethodHead:
		a.Chunked = false
	case a.Chunked:
		a.Length = -1
	case a.Announced >= 0:
		a.Length = a.Announced
	default:
		a.Length, a.Close = -1, true
	}
	return nil
}

func parseLength(value string) (n int64, err error) {
	if len(value) == 0 || len(value) > 18 {
		return 0, errLength
	}
	for i := range len(value) {
		if !Digit(value[i]) {
			return 0, errLength
		}
		n = n*10 + int64(value[i]-'0')
	}
	return n, nil
}

// connection finds out whether the connection goes on after the response.
func (a *Answer) connection() {
	kept := false
	for _, list := range a.Header["Connection"] {
		for len(list) > 0 {
			var option string
			option, list = Element(list)
			a.Close = a.Close || EqualFold(option, "close")
			kept = kept || EqualFold(option, "keep-alive")
		}
	}
	if a.Minor == 0 && !kept {
		a.Close = true
	}
}

// Body reads what follows an answer's head up to its end, where the error is io.EOF.
type Body struct {
	in      Source
	left    int64 // -1: up to the end of the connection
	chunked *Chunked
	err     error
}

// Body is the body of a response whose head has been read.
func (a *Answer) Body(in Source, limits Limits) *Body {
	b := &Body{in: in, left: a.Length}
	switch {
	case a.Chunked:
		b.chunked = NewChunked(in, limits)
	case a.Length == 0:
		b.err = io.EOF
	}
	return b
}

// Over reports whether all of it has been read, or reading has failed.
func (b *Body) Over() bool { return b.err != nil }

// Left is how much is known to follow; -1: it is not known.
func (b *Body) Left() int64 {
	if b.chunked != nil {
		return -1
	}
	return b.left
}

// Trailer is the trailer section, nil if there was none. Once all has been read.
func (b *Body) Trailer() http.Header {
	if b.chunked == nil {
		return nil
	}
	return b.chunked.Trailer
}

// Read is io.Reader. The end comes with the last bytes where they tell of it.
func (b *Body) Read(p []byte) (n int, err error) {
	switch {
	case b.err != nil || len(p) == 0:
		return 0, b.err
	case b.chunked != nil:
		n, err = b.chunked.Read(p)
	case b.left < 0:
		n, err = b.in.Read(p)
	default:
		n, err = b.in.Read(p[:min(int64(len(p)), b.left)])
		if b.left -= int64(n); b.left == 0 {
			err = io.EOF
		} else {
			err = Unexpected(err)
		}
	}
	b.err = err
	return n, err
}
