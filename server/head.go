package server

import (
	"bytes"
	"net/http"

	"github.com/ratmom/ratmom/internal/http1"
)

// head is what the scan of a request's head found out.
type head struct {
	begin, size            int  // where it begins (behind an empty line), and where the body begins
	method, target, host   span // host is empty if there is none
	minor                  int  // of HTTP/1
	hosts, lengths, codes  int  // how many lines
	length                 int64
	chunked                bool
	close, keepAlive       bool // what Connection says
	upgrade, expect, trail bool // Upgrade, Expect: 100-continue and Trailer
}

// span is a part of the bytes that were scanned.
type span struct{ from, to int }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

// scanner looks at the raw head line by line, as it comes, and refuses what two programs could read
// in two ways: what http.ReadRequest makes of the rest is then what everybody makes of it.
// It keeps offsets and no bytes, so its caller may move them meanwhile.
type scanner struct {
	head
	limits *Limits
	relax  Relax

	line   int // where the line that is being scanned begins
	tried  int // up to where there is no LF
	number int // of the line: 0 is the request line
}

func newScanner(limits *Limits, relax Relax) scanner {
	return scanner{head: head{length: -1}, limits: limits, relax: relax}
}

// scan goes on with all bytes since the head's first one, and reports whether the head is whole.
// The error is a *refusal.
func (s *scanner) scan(b []byte) (bool, error) {
	for {
		n := bytes.IndexByte(b[s.tried:], '\n')
		if n < 0 {
			s.tried = len(b)
			return false, s.tooLong(b)
		}
		end := s.tried + n
		line, err := s.unfold(b[s.line:end])
		if err != nil {
			return false, err
		}
		begin := s.line
		s.line, s.tried = end+1, end+1
		switch {
		case len(line) == 0 && s.number == 0:
			// Some old clients end a body with one CRLF too many.
			if begin > 0 {
				return false, bad("more than one empty line before the request")
			}
			s.begin = s.line
			continue
		case len(line) == 0:
			s.size = s.line
			if s.size-s.begin > s.limits.HeadBytes {
				return false, errHeadTooLarge
			}
			return true, s.whole(b)
		case s.number == 0:
			err = s.requestLine(line, begin)
		default:
			err = s.field(line, begin)
		}
		if err != nil {
			return false, err
		}
		s.number++
		if err := s.tooLong(b); err != nil {
			return false, err
		}
	}
}

// unfold takes the CR off a line that LF has been taken off already.
func (s *scanner) unfold(line []byte) ([]byte, error) {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1], nil
	}
	if s.relax.BareLF {
		return line, nil
	}
	return nil, bad("a line ends without CR")
}

func (s *scanner) tooLong(b []byte) error {
	if s.number == 0 {
		// A method and a version take a little room beside the target.
		if len(b)-s.line-64 > s.limits.URIBytes {
			return errURITooLong
		}
	}
	if max(s.line, s.tried)-s.begin > s.limits.HeadBytes {
		return errHeadTooLarge
	}
	return nil
}

func (s *scanner) requestLine(line []byte, at int) error {
	one := bytes.IndexByte(line, ' ')
	two := bytes.LastIndexByte(line, ' ')
	if one <= 0 || two <= one+1 {
		return bad("malformed request line")
	}
	method, target, version := line[:one], line[one+1:two], line[two+1:]
	if !all(method, &isToken) {
		return bad("malformed method")
	}
	if len(target) > s.limits.URIBytes {
		return errURITooLong
	}
	if len(version) != len("HTTP/1.1") || string(version[:5]) != "HTTP/" || version[6] != '.' ||
		!digit(version[5]) || !digit(version[7]) {
		return bad("malformed version")
	}
	if version[5] != '1' {
		return errVersion
	}
	s.minor = int(version[7] - '0')
	s.method = span{at, at + one}
	s.target = span{at + one + 1, at + two}
	return checkTarget(method, target, s.relax)
}

func digit(c byte) bool { return http1.Digit(c) }

// splitField cuts a field line at its colon.
func splitField(line []byte) (name, value []byte, err error) {
	name, value, err = http1.SplitField(line)
	if err != nil {
		return nil, nil, bad(err.Error())
	}
	return name, value, nil
}

func (s *scanner) field(line []byte, at int) error {
	if s.number > s.limits.HeadLines {
		return errTooManyFields
	}
	name, value, err := splitField(line)
	if err != nil {
		return err
	}
	switch len(name) {
	case len("host"):
		if equalFold(name, "host") {
			s.hosts++
			// The value's place follows from its capacity: both are cut from line.
			from := at + cap(line) - cap(value)
			s.host = span{from, from + len(value)}
			if len(value) > 0 && !validAuthority(value) {
				return bad("malformed Host")
			}
		}
	case len("expect"):
		if equalFold(name, "expect") && len(value) > 0 { // an empty list expects nothing
			if s.minor > 0 && (s.expect || !equalFold(value, "100-continue")) {
				return errExpectation
			}
			s.expect = s.minor > 0
		}
	case len("upgrade"):
		s.upgrade = s.upgrade || equalFold(name, "upgrade")
		s.trail = s.trail || equalFold(name, "trailer")
	case len("connection"):
		if equalFold(name, "connection") {
			s.connection(value)
		}
	case len("content-length"):
		if equalFold(name, "content-length") {
			s.lengths++
			return s.contentLength(value)
		}
	case len("transfer-encoding"):
		if equalFold(name, "transfer-encoding") {
			s.codes++
			return s.transferEncoding(value)
		}
	}
	return nil
}

func (s *scanner) connection(list []byte) {
	for len(list) > 0 {
		var option []byte
		option, list = element(list)
		s.close = s.close || equalFold(option, "close")
		s.keepAlive = s.keepAlive || equalFold(option, "keep-alive")
	}
}

func (s *scanner) contentLength(value []byte) error {
	if len(value) == 0 {
		return bad("malformed Content-Length")
	}
	for _, c := range value {
		if !digit(c) {
			return bad("malformed Content-Length")
		}
	}
	n := int64(0)
	for _, c := range value {
		if n = n*10 + int64(c-'0'); n > noLimit/16 {
			return errBodyTooLarge
		}
	}
	s.length = n
	return nil
}

func (s *scanner) transferEncoding(list []byte) error {
	last, unknown, count := false, false, 0
	for len(list) > 0 {
		var coding []byte
		coding, list = element(list)
		last = equalFold(coding, "chunked")
		unknown = unknown || !last
		count++
	}
	switch {
	case unknown:
		return errCoding
	case !last || count > 1:
		return bad("malformed Transfer-Encoding")
	}
	s.chunked = true
	return nil
}

// whole judges what only the whole head shows.
func (s *scanner) whole(b []byte) error {
	switch {
	case s.hosts > 1:
		return bad("more than one Host")
	case s.hosts == 0 && s.minor > 0:
		return bad("no Host")
	case s.lengths > 1:
		return bad("more than one Content-Length")
	case s.codes > 1:
		return bad("more than one Transfer-Encoding")
	case s.codes > 0 && s.lengths > 0:
		return bad("both Content-Length and Transfer-Encoding")
	case s.codes > 0 && s.minor == 0:
		return bad("Transfer-Encoding in version 1.0")
	case s.length > s.limits.BodyBytes:
		return errBodyTooLarge
	}
	if authority := targetAuthority(s.method.of(b), s.target.of(b)); authority != nil && s.hosts > 0 {
		if !sameAuthority(authority, s.host.of(b), s.target.of(b)) {
			return bad("Host is not that of the request target")
		}
	}
	return nil
}

// hasBody reports whether bytes of a body follow.
func (h *head) hasBody() bool { return h.chunked || h.length > 0 }

// safe reports whether the method asks for nothing but an answer (RFC 9110, section 9.2.1), so that
// it may be at work beside others of its connection.
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}
