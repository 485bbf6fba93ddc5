package ratmom

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/retry"
)

// Response is a response whose head has arrived. Its body streams: close it, or
// use one of the readers below, which close it.
type Response struct {
	*http.Response
	// EffectiveURL is where the response came from, after all redirects.
	EffectiveURL *url.URL

	h     *handler.Handler
	steps *steps // with config.Metrics

	attempts []retry.Attempt
}

// Attempts are the tries that were made for this response, by [config.Retry] or at once,
// and did not become it: the oldest first. Those of redirects on the way are among them.
func (r *Response) Attempts() []retry.Attempt { return r.attempts }

func newResponse(h *handler.Handler, req *http.Request) (*Response, error) {
	both := new(struct { // in one piece
		Response
		reply handler.Reply
	})
	if err := h.Fill(&both.reply); err != nil {
		return nil, err
	}
	both.reply.HTTP.Request = req // a hedge's own is a copy
	both.Response = Response{Response: &both.reply.HTTP, EffectiveURL: req.URL, h: h}
	return &both.Response, nil
}

// LocalAddr is our end of the connection; the zero value on a unix socket, and for
// a response that an interceptor made.
func (r *Response) LocalAddr() netip.AddrPort {
	if r.h == nil {
		return netip.AddrPort{}
	}
	return r.h.LocalAddr()
}

// RemoteAddr is the other end of the connection, the proxy's if there is one.
func (r *Response) RemoteAddr() netip.AddrPort {
	if r.h == nil {
		return netip.AddrPort{}
	}
	return r.h.RemoteAddr()
}

// Bytes reads the rest of the body and closes it. What a server announces as the
// length is believed only as far as the bytes come.
func (r *Response) Bytes() ([]byte, error) {
	defer r.Body.Close()
	return io.ReadAll(r.Body)
}

// Text reads the rest of the body as text and closes it. The encoding is that of
// the byte order mark, else of the Content-Type's charset, else UTF-8; bytes that
// are not valid become U+FFFD.
func (r *Response) Text() (string, error) {
	defer r.Body.Close()
	b, err := io.ReadAll(body.NewTextReader(r.Body, r.Header.Get("Content-Type")))
	return string(b), err
}

// JSON decodes the body into v and closes it. An error of the body itself is
// returned as such, not as a syntax error.
func (r *Response) JSON(v any) error {
	b, err := r.Bytes()
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// CopyTo writes the rest of the body to w, closes it, and returns the number of
// bytes. Without a writer it closes the body and returns an error.
func (r *Response) CopyTo(w io.Writer) (int64, error) {
	defer r.Body.Close()
	if w == nil {
		return 0, errNoWriter
	}
	return io.Copy(w, r.Body)
}

var (
	errNoName   = errors.New("the file to save to has no name")
	errNoWriter = errors.New("there is no writer to copy to")
)

// SaveFile writes the rest of the body to the file and closes it. The file appears
// under its name only when the body is complete, in the place of one that was
// there; until then it is one beside it, which is removed on an error. What is no
// regular file, such as a pipe or /dev/null, is written to as it is.
func (r *Response) SaveFile(name string) (n int64, err error) {
	defer r.Body.Close()
	if name == "" {
		return 0, errNoName
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // a link stays one
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return r.writeFile(name, os.O_WRONLY, nil)
	}
	part := filepath.Join(filepath.Dir(name), ".ratmom-"+rand.Text())
	if n, err = r.writeFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, nil); err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		_ = os.Remove(part)
	}
	var pathErr *os.PathError
	if errors.As(err, &pathErr) && pathErr.Path == part {
		pathErr.Path = name // the caller knows no other
	}
	return n, err
}

// writeFile writes the rest of the body. wanted, if there is one, is asked before each piece
// and at the end.
func (r *Response) writeFile(name string, flag int, wanted func() error) (int64, error) {
	f, err := os.OpenFile(name, flag, 0o666)
	if err != nil {
		return 0, err
	}
	var w io.Writer = f
	if wanted != nil {
		w = asking{f, wanted}
	}
	n, err := io.Copy(w, r.Body)
	if err == nil && wanted != nil {
		err = wanted()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return n, err
}

// asking writes while what is written is wanted.
type asking struct {
	w      io.Writer
	wanted func() error
}

func (a asking) Write(p []byte) (int, error) {
	if err := a.wanted(); err != nil {
		return 0, err
	}
	return a.w.Write(p)
}

// Discard reads the rest of the body, so that the connection can be used again,
// and closes it.
func (r *Response) Discard() error {
	_, err := r.CopyTo(io.Discard)
	return err
}

// Trailers are the fields that came behind the body. They are complete when the
// body has been read to its end.
func (r *Response) Trailers() http.Header { return r.Trailer }
