package testserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// Request is a request as it stood on the wire of an HTTP/1.1 connection.
type Request struct {
	Method, Target, Proto string
	Header                []string // lines in order, as sent, without CR LF
	Body                  []byte   // without chunking
	Trailers              []string // lines in order, as sent
	Chunked               bool     // how the body came

	Number int // of this server, from 0, in the order of heads
	Conn   int // the connection it came on, from 0

	LocalAddr, RemoteAddr netip.AddrPort
	TLS                   *tls.ConnectionState // nil without TLS

	Err error // what cut the body short
}

// Path is the target up to the question mark.
func (r *Request) Path() string {
	path, _, _ := strings.Cut(r.Target, "?")
	return path
}

// Get is the value of the first header line with this name, in any case; ""
// if there is none.
func (r *Request) Get(name string) string { return first(r.Values(name)) }

// Has tells whether there is a header line with this name.
func (r *Request) Has(name string) bool { return len(r.Values(name)) > 0 }

// Values are the values of all header lines with this name, in order.
func (r *Request) Values(name string) []string { return lineValues(r.Header, name) }

// Trailer is the value of the first trailer line with this name.
func (r *Request) Trailer(name string) string { return first(lineValues(r.Trailers, name)) }

// Names are the names of all header lines, as sent.
func (r *Request) Names() (names []string) {
	for _, line := range r.Header {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	return names
}

func (r *Request) String() string {
	return fmt.Sprintf("%s %s %s\n%s\n\n%q", r.Method, r.Target, r.Proto, strings.Join(r.Header, "\n"), r.Body)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func lineValues(lines []string, name string) (values []string) {
	for _, line := range lines {
		n, v, _ := strings.Cut(line, ":")
		if strings.EqualFold(n, name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

// readHead reads up to the blank line. An end of stream before the first byte
// is io.EOF.
func readHead(br *bufio.Reader) (*Request, error) {
	line, err := readLine(br)
	if err != nil {
		return nil, err
	}
	r := &Request{}
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("not a request line: %q", line)
	}
	r.Method, r.Target, r.Proto = parts[0], parts[1], parts[2]
	r.Header, err = readLines(br)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// readBody reads the body that the head announces.
func (r *Request) readBody(br *bufio.Reader) error {
	r.Chunked = strings.EqualFold(r.Get("Transfer-Encoding"), "chunked")
	switch length := r.Get("Content-Length"); {
	case r.Chunked:
		r.Err = r.readChunks(br)
	case length != "":
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil {
			r.Err = err
			break
		}
		r.Body, r.Err = io.ReadAll(io.LimitReader(br, n))
		if r.Err == nil && int64(len(r.Body)) < n {
			r.Err = io.ErrUnexpectedEOF
		}
	}
	return r.Err
}

func (r *Request) readChunks(br *bufio.Reader) error {
	for {
		line, err := readLine(br)
		if err != nil {
			return noEOF(err)
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 32)
		if err != nil {
			return err
		}
		if n == 0 {
			r.Trailers, err = readLines(br)
			return err
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(br, chunk); err != nil {
			return noEOF(err)
		}
		r.Body = append(r.Body, chunk...)
		if line, err := readLine(br); err != nil || line != "" {
			return fmt.Errorf("no line end after a chunk: %q, %w", line, noEOF(err))
		}
	}
}

func readLines(br *bufio.Reader) (lines []string, err error) {
	for {
		line, err := readLine(br)
		if err != nil {
			return nil, noEOF(err)
		}
		if line == "" {
			return lines, nil
		}
		lines = append(lines, line)
	}
}

// readLine wants CR LF and nothing less: a client that sends a bare LF is to be
// caught.
func readLine(br *bufio.Reader) (string, error) {
	line, err := br.ReadString('\n')
	if err != nil {
		if line != "" {
			return "", noEOF(err)
		}
		return "", err
	}
	if !strings.HasSuffix(line, "\r\n") {
		return "", fmt.Errorf("line does not end with CR LF: %q", line)
	}
	return line[:len(line)-2], nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
