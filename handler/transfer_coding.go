package handler

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/internal/failure"
)

// uncode undoes the transfer codings that config.TransferCompression has asked for:
// resp looks as if only chunks had been there.
func (h *Handler) uncode(resp *http.Response) error {
	names := resp.TransferEncoding
	delete(resp.Header, "Transfer-Encoding")
	resp.TransferEncoding = nil
	if n := len(names); n > 0 && names[n-1] == "chunked" {
		names = names[:n-1]
		resp.TransferEncoding = []string{"chunked"}
		in := bufio.NewReader(resp.Body)
		resp.Body = &dechunked{Reader: httputil.NewChunkedReader(in), in: in, Closer: resp.Body, h: h, resp: resp}
	}
	for _, name := range names {
		switch name {
		case "gzip", "x-gzip", "deflate", "identity":
		default:
			return failure.Newf(failure.Protocol, "unsupported transfer encoding: %q", clip(strings.Join(names, ", ")))
		}
	}
	dec, err := body.NewDecoder(strings.Join(names, ","), resp.Body, body.Limits{MaxBytes: h.plan.MaxDecoded})
	if err != nil {
		return err
	}
	resp.Body = dec
	return nil
}

// dechunked is what the chunks hold.
type dechunked struct {
	io.Reader
	io.Closer
	in   *bufio.Reader
	h    *Handler
	resp *http.Response
	err  error
}

// maxTrailer bounds the trailers, in bytes.
const maxTrailer = 64 * 1024

// Read reads the trailers too, when the last chunk has come.
func (d *dechunked) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.Reader.Read(p)
	if err == io.EOF {
		err = d.trailers()
	}
	d.err = err
	return n, err
}

func (d *dechunked) trailers() error {
	raw, err := io.ReadAll(io.LimitReader(d.in, maxTrailer+1))
	if err != nil {
		return err
	}
	if len(raw) > maxTrailer {
		return failure.Newf(failure.HeadTooLarge, "trailers of more than %d bytes", maxTrailer)
	}
	d.h.mu.Lock()
	d.h.trailer = raw
	d.h.mu.Unlock()
	d.h.setTrailer(d.resp)
	return io.EOF
}
