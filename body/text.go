package body

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"strings"

	htmlcharset "golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// NewTextReader returns the text in r as UTF-8. A byte order mark says what it
// is encoded in (and is taken away), else the charset in contentType, by the
// names that browsers know, else, in HTML, a meta element within the first 1024 bytes,
// which are waited for, else it is UTF-8, also where the charset is not
// known. Bytes that are not valid become U+FFFD. Nothing is read before the first
// Read, and text is returned as it arrives.
func NewTextReader(r io.Reader, contentType string) io.Reader {
	return &textReader{src: r, contentType: contentType}
}

type textReader struct {
	src         io.Reader
	contentType string
	text        io.Reader // nil before the first read
}

func (t *textReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if t.text == nil {
		br := bufio.NewReader(t.src)
		enc, mark := byOrderMark(br)
		if enc == nil {
			enc = t.declared(br)
		}
		_, _ = br.Discard(mark)
		t.text = enc.NewDecoder().Reader(br)
	}
	return t.text.Read(p)
}

// prescan is how much of a page browsers look through for a meta element.
const prescan = 1024

// declared returns the encoding that the Content-Type or the page names.
func (t *textReader) declared(br *bufio.Reader) encoding.Encoding {
	name := charset(t.contentType)
	if name == "" && isHTML(t.contentType) {
		head, _ := br.Peek(prescan)
		if bytes.Contains(bytes.ToLower(head), []byte("charset")) { // else it would be guessed
			enc, _, _ := htmlcharset.DetermineEncoding(head, "text/html")
			return enc
		}
	}
	return byName(name)
}

func isHTML(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "text/html", "application/xhtml+xml":
		return true
	}
	return false
}

// byOrderMark returns the encoding that a byte order mark announces and the
// mark's length; nil if there is none. It waits for no more bytes than it takes
// to tell.
func byOrderMark(br *bufio.Reader) (encoding.Encoding, int) {
	for _, bom := range []struct {
		mark string
		enc  encoding.Encoding
	}{
		{"\xef\xbb\xbf", unicode.UTF8},
		{"\xfe\xff", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		{"\xff\xfe", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	} {
		for n := 1; ; n++ {
			b, err := br.Peek(n)
			if err != nil || string(b) != bom.mark[:n] {
				break
			}
			if n == len(bom.mark) {
				return bom.enc, n
			}
		}
	}
	return nil, 0
}

func byName(name string) encoding.Encoding {
	if name != "" {
		if enc, err := htmlindex.Get(name); err == nil {
			return enc
		}
	}
	return unicode.UTF8
}

// charset returns the charset parameter of a Content-Type. Where the header is
// not well-formed it makes do with anything that looks like one.
func charset(contentType string) string {
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		return params["charset"]
	}
	for param := range strings.SplitSeq(contentType, ";") {
		name, value, ok := strings.Cut(param, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.Trim(value, " \t\"'")
		}
	}
	return ""
}
