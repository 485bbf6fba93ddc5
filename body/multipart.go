package body

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// smallForm is the size up to which a form whose parts are in memory is put together
// at once, in bytes.
const smallForm = 64 * 1024

// Multipart is a form of parts, in their order, with the type multipart/form-data
// (RFC 7578). It is a stream: files and readers are opened one after the other, while
// they are sent. Its length is known if that of every part is, and it can be sent
// again if every part can.
//
// The names of fields and files are written as browsers do: line ends and double
// quotes are percent-encoded, all else goes as it is; other control characters are
// errors. The boundary is random.
func Multipart(parts ...Part) *Content { return MultipartBoundary(rand.Text()+rand.Text(), parts...) }

// MultipartBoundary is [Multipart] with a given boundary, 1 to 70 characters of those
// that RFC 2046 allows. It must not be found in any part.
func MultipartBoundary(boundary string, parts ...Part) *Content {
	if err := checkBoundary(boundary); err != nil {
		return failed(err)
	}
	kind := "multipart/form-data; boundary=" + boundary
	if strings.ContainsAny(boundary, `()<>@,;:\"/[]?= `) {
		kind = `multipart/form-data; boundary="` + boundary + `"`
	}
	var all []*Content // what stands between the parts, and the parts
	var once *atomic.Bool
	var length int64
	between := ""
	for i := range parts {
		p := &parts[i]
		head, err := p.head()
		if err != nil {
			return failed(err)
		}
		all = append(all, Data("", []byte(between+"--"+boundary+"\r\n"+head)))
		all = append(all, p.content)
		between = "\r\n"
	}
	all = append(all, Data("", []byte(between+"--"+boundary+"--\r\n")))
	inMemory := true
	for _, c := range all {
		if !c.take() {
			return failed(errTaken)
		}
		if !c.Rewindable() {
			once = new(atomic.Bool)
		}
		if c.length < 0 || length < 0 {
			length = -1
		} else {
			length += c.length
		}
		inMemory = inMemory && c.open == nil
	}
	if inMemory && length <= smallForm {
		return Data(kind, join(all))
	}
	c := FromFunc(kind, length, func() (io.ReadCloser, error) { return &multipartReader{pieces: all}, nil })
	c.once = once
	return c
}

// checkBoundary holds to RFC 2046, section 5.1.1.
func checkBoundary(s string) error {
	if len(s) < 1 || len(s) > 70 {
		return fmt.Errorf("boundary %q: has %d characters, not 1 to 70", s, len(s))
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("'()+_,-./:=?", c) >= 0:
		case c == ' ' && i < len(s)-1:
		default:
			return fmt.Errorf("boundary %q: has the character %q at byte %d", s, c, i)
		}
	}
	return nil
}

func join(pieces []*Content) []byte {
	var b bytes.Buffer
	for _, c := range pieces {
		b.Write(c.bytes)
	}
	return b.Bytes()
}

// multipartReader reads the pieces in turn, each from its beginning. Close may be
// called beside a Read.
type multipartReader struct {
	pieces []*Content

	mu      sync.Mutex
	current io.ReadCloser
	closed  bool
}

var errFormClosed = errors.New("read after the form was closed")

func (m *multipartReader) Read(p []byte) (int, error) {
	for len(m.pieces) > 0 {
		r, err := m.piece()
		if err != nil {
			return 0, err
		}
		n, err := r.Read(p)
		if err == io.EOF {
			m.pieces = m.pieces[1:]
			err = m.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// piece is what is read now.
func (m *multipartReader) piece() (io.Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errFormClosed
	}
	if m.current == nil {
		m.current = m.pieces[0].reader()
	}
	return m.current, nil
}

func (m *multipartReader) next() error {
	m.mu.Lock()
	c := m.current
	m.current = nil
	m.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.Close()
}

func (m *multipartReader) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	return m.next()
}
