package handler

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"unsafe"

	"github.com/ratmom/ratmom/internal/failure"
)

// maxLines bounds the header lines of one head, as libcurl does since 8.6: a
// megabyte of lines of three bytes each would be a map of many more.
const maxLines = 5000

// Head is the status line and header of a response, as net/http presents them.
type Head struct {
	Proto      string // "HTTP/1.1", "HTTP/2.0"
	ProtoMajor int
	ProtoMinor int
	StatusCode int
	Status     string // "200 OK"
	Header     http.Header

	folded bool // a field goes over more than one line
}

// ParseHead parses one head: a status line, header lines, and the blank line
// that ends it. Lines end with CRLF or LF. It copies raw, once; all strings of the
// Head are parts of that copy.
//
// A status line that is not HTTP's is an error of kind Protocol, too many lines
// one of kind HeadTooLarge. A header line that is not well-formed (no colon, a
// name that is no token, control characters in the value) is left out: servers
// send such lines, and no client fails for them. Continuation lines are joined
// to their field with a space (RFC 9112, section 5.2).
func ParseHead(raw []byte) (*Head, error) {
	h := &Head{}
	return h, h.parse(bytes.Clone(raw), nil)
}

// parse is ParseHead without the copy: raw, and values, the memory for those of the fields if they are
// few enough, belong to h from now on.
func (h *Head) parse(raw []byte, values []string) error {
	p := newParser(raw)
	line, ok := p.line()
	if !ok {
		return failure.New(failure.Protocol, "empty response head")
	}
	if err := h.parseStatus(p.text[line.start:line.end]); err != nil {
		return err
	}
	var err error
	h.Header, err = p.header(values)
	h.folded = p.folded
	return err
}

// ParseTrailer parses header lines without a status line; a blank line may end
// them. It returns nil if there is none.
func ParseTrailer(raw []byte) (http.Header, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	p := newParser(bytes.Clone(raw))
	h, err := p.header(nil)
	if err != nil || len(h) == 0 {
		return nil, err
	}
	return h, nil
}

func (h *Head) parseStatus(line string) error {
	proto, rest, ok := strings.Cut(line, " ")
	if !ok || !h.parseProto(proto) {
		return failure.Newf(failure.Protocol, "malformed status line %q", clip(line))
	}
	rest = strings.TrimLeft(rest, " ")
	if len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return failure.Newf(failure.Protocol, "malformed status code in %q", clip(line))
	}
	code := 0
	for i := 0; i < 3; i++ {
		d := rest[i] - '0'
		if d > 9 {
			return failure.Newf(failure.Protocol, "malformed status code in %q", clip(line))
		}
		code = code*10 + int(d)
	}
	if code < 100 {
		return failure.Newf(failure.Protocol, "malformed status code in %q", clip(line))
	}
	h.StatusCode, h.Status = code, rest
	if h.ProtoMajor >= 2 { // which have no reason phrase
		h.Status = statusWithText(code)
	}
	return nil
}

// parseProto accepts HTTP/x.y, and HTTP/x as libcurl writes it for HTTP/2 and 3.
func (h *Head) parseProto(s string) bool {
	switch s {
	case "HTTP/1.1":
		h.Proto, h.ProtoMajor, h.ProtoMinor = "HTTP/1.1", 1, 1
		return true
	case "HTTP/2":
		h.Proto, h.ProtoMajor = "HTTP/2.0", 2
		return true
	case "HTTP/3":
		h.Proto, h.ProtoMajor = "HTTP/3.0", 3
		return true
	}
	var ok bool
	h.Proto = s
	h.ProtoMajor, h.ProtoMinor, ok = http.ParseHTTPVersion(s)
	return ok
}

// statusTexts holds the statuses that have a text, by code less 100.
var statusTexts = func() (t [500]string) {
	for i := range t {
		if text := http.StatusText(i + 100); text != "" {
			t[i] = strconv.Itoa(i+100) + " " + text
		}
	}
	return t
}()

func statusWithText(code int) string {
	if i := code - 100; i < len(statusTexts) && statusTexts[i] != "" {
		return statusTexts[i]
	}
	return strconv.Itoa(code) + " "
}

// unaliased gives a head that begins with one of config.StatusAliases the status line
// it stands for.
func unaliased(raw []byte) []byte {
	if len(raw) >= 5 && bytes.EqualFold(raw[:5], []byte("HTTP/")) {
		return raw
	}
	_, rest, _ := bytes.Cut(raw, []byte("\n"))
	return append([]byte("HTTP/1.0 200 OK\r\n"), rest...)
}

// parser walks over a copy of a head. It puts names into canonical form, and
// joins continuation lines, in that copy, so that text, the same memory as a
// string, has every name and value as a part of it. Nothing writes to a part
// once it has been handed out.
type parser struct {
	buf    []byte
	text   string
	pos    int
	folded bool // there was a continuation line
}

type span struct{ start, end int }

func newParser(buf []byte) parser {
	return parser{buf: buf, text: unsafe.String(unsafe.SliceData(buf), len(buf))}
}

// line returns the next line without its end; !ok after the last one.
func (p *parser) line() (span, bool) {
	if p.pos >= len(p.buf) {
		return span{}, false
	}
	l := span{p.pos, len(p.buf)}
	if i := bytes.IndexByte(p.buf[p.pos:], '\n'); i >= 0 {
		l.end = p.pos + i
	}
	p.pos = l.end + 1
	if l.end > l.start && p.buf[l.end-1] == '\r' {
		l.end--
	}
	return l, true
}

func (p *parser) header(values []string) (http.Header, error) {
	n := bytes.Count(p.buf[min(p.pos, len(p.buf)):], []byte{'\n'})
	if n > maxLines {
		return nil, failure.Newf(failure.HeadTooLarge, "more than %d lines", maxLines)
	}
	n = max(n-1, 0) // less the blank line
	h := make(http.Header, n)
	if values = values[:0]; n > cap(values) {
		values = make([]string, 0, n)
	}
	var key, val span
	var broken error
	var seen uint64 // the bits of the names so far: a new one need not be looked up
	flush := func() {
		if key.end == 0 {
			return
		}
		if !p.validValue(val) { // left out, unless libcurl goes by it
			if name := p.text[key.start:key.end]; framingField(name) {
				broken = failure.Newf(failure.Protocol, "the value of %s has a control character: %q", name, clip(p.text[val.start:val.end]))
			}
			return
		}
		values = append(values, p.text[val.start:p.trimRight(val)])
		name, last := p.text[key.start:key.end], len(values)-1
		bit := nameBit(name)
		if seen&bit != 0 {
			if old, ok := h[name]; ok {
				h[name] = append(old, values[last])
				return
			}
		}
		seen |= bit
		h[name] = values[last : last+1 : last+1]
	}
	for {
		l, ok := p.line()
		if !ok || l.start == l.end {
			break
		}
		if isBlank(p.buf[l.start]) {
			p.folded = true
			val = p.join(val, l)
			continue
		}
		flush()
		key, val = p.field(l)
	}
	flush()
	return h, broken
}

// nameBit is one of 64 bits for a name that is not empty; names of the usual heads have each
// another.
func nameBit(name string) uint64 {
	n := len(name)
	return 1 << ((uint(n)*11 + uint(name[0]) + uint(name[n/2])*3) & 63)
}

// field splits a line at its colon. The name is put into canonical form; a key
// that ends at 0 is none.
func (p *parser) field(l span) (key, val span) {
	upper := true
	for i := l.start; i < l.end; i++ {
		c := p.buf[i]
		switch {
		case c == ':':
			if i == l.start {
				return span{}, span{}
			}
			return span{l.start, i}, p.trim(span{i + 1, l.end})
		case isBlank(c) && i > l.start && i+1 < l.end && p.buf[i+1] == ':':
			// "Foo : bar" is not Foo; as in net/http it stays what it is.
			return span{l.start, i + 1}, p.trim(span{i + 2, l.end})
		case !isToken[c]:
			return span{}, span{}
		case upper && 'a' <= c && c <= 'z', !upper && 'A' <= c && c <= 'Z':
			p.buf[i] = c ^ 0x20
		}
		upper = c == '-'
	}
	return span{}, span{}
}

// join moves a continuation line behind the value it continues. There is room:
// the line's end and the blanks before it are more than the space between.
func (p *parser) join(val, l span) span {
	l = p.trim(l)
	if val.start == val.end { // nothing yet, or a line that was left out
		return l
	}
	p.buf[val.end] = ' '
	val.end += 1 + copy(p.buf[val.end+1:], p.buf[l.start:l.end])
	return val
}

func (p *parser) trim(s span) span {
	for s.start < s.end && isBlank(p.buf[s.start]) {
		s.start++
	}
	return span{s.start, p.trimRight(s)}
}

func (p *parser) trimRight(s span) int {
	for s.start < s.end && isBlank(p.buf[s.end-1]) {
		s.end--
	}
	return s.end
}

func (p *parser) validValue(s span) bool {
	for _, c := range p.buf[s.start:s.end] {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// isToken tells the characters of a header name (RFC 9110, section 5.6.2).
var isToken = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		t[c] = true
	}
	return t
}()

// clip shortens what goes into an error.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
