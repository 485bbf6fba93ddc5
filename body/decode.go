package body

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ratmom/ratmom/internal/failure"
)

// Limits bound what a decoder makes of a response; the zero value has the
// defaults.
type Limits struct {
	// MaxBytes is the most that is decoded, in bytes. 0 means no limit: the body
	// is a stream, and who reads it decides what to keep of it.
	MaxBytes int64
	// MaxRatio is how many bytes may come of one encoded byte, once more than
	// 64 MiB have come. The default, 0, means 2000, which no gzip reaches; -1
	// means no limit.
	MaxRatio int

	slack int64 // tests make it small
}

const (
	maxLayers    = 5 // as in libcurl
	defaultRatio = 2000
	ratioSlack   = 64 << 20
)

// Decoder is the decoded form of an encoded body. One goroutine at a time reads
// it; Close may be called beside a Read.
type Decoder struct {
	src    io.ReadCloser
	limits Limits
	layers []layer // the last one gives the decoded bytes

	mu      sync.Mutex // held while reading, and while giving codecs back
	out     int64
	err     error
	closed  atomic.Bool
	closing sync.Once
	closeEr error
}

// NewDecoder returns src decoded as the value of a Content-Encoding header says:
// gzip, x-gzip, deflate (zlib's format, or raw as some servers send it), br,
// zstd, identity, or a list of up to five of them. Nothing is read before the
// first Read, and a Read returns as soon as there is something decoded.
//
// A body that is empty stays so: it ends with io.EOF although no format has a form
// of 0 bytes, since servers label empty answers too. One that ends early gives an
// error of kind ratmom.ErrTruncated, one that is malformed or goes on behind its end
// one of kind ratmom.ErrContentEncoding, one over the limits one of kind
// ratmom.ErrBodyTooLarge. Errors of src are passed on. An encoding that is not known
// makes NewDecoder itself fail, with kind ratmom.ErrContentEncoding; src is left open.
//
// Of zstd, windows up to 8 MiB are decoded (RFC 9659).
func NewDecoder(contentEncoding string, src io.ReadCloser, limits Limits) (io.ReadCloser, error) {
	names, err := encodings(contentEncoding)
	if err != nil || len(names) == 0 {
		return src, err
	}
	if limits.MaxRatio == 0 {
		limits.MaxRatio = defaultRatio
	}
	if limits.slack == 0 {
		limits.slack = ratioSlack
	}
	d := &Decoder{src: src, limits: limits, layers: make([]layer, len(names))}
	var in io.Reader = src
	for i := range d.layers { // the encoding applied last is undone first
		l := &d.layers[i]
		l.name = names[len(names)-1-i]
		l.src.r = in
		in = l
	}
	return d, nil
}

// encodings returns the encodings in a Content-Encoding, without identity.
func encodings(header string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(header, ",") {
		name = strings.ToLower(strings.Trim(name, " \t"))
		switch name {
		case "", "identity", "none":
			continue
		case "x-gzip":
			name = "gzip"
		}
		if codecs[name] == nil {
			if len(name) > 64 {
				name = name[:64] + "…"
			}
			return nil, failure.Newf(failure.ContentEncoding, "unknown encoding %q", name)
		}
		if len(names) == maxLayers {
			return nil, failure.Newf(failure.ContentEncoding, "more than %d encodings", maxLayers)
		}
		names = append(names, name)
	}
	return names, nil
}

// Read returns decoded bytes.
func (d *Decoder) Read(p []byte) (int, error) {
	d.mu.Lock()
	n, err := d.read(p)
	d.mu.Unlock()
	if d.closed.Load() {
		d.giveBack()
	}
	return n, err
}

func (d *Decoder) read(p []byte) (int, error) {
	if d.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if d.err != nil || len(p) == 0 {
		return 0, d.err
	}
	if max := d.limits.MaxBytes; max > 0 && int64(len(p)) > max-d.out+1 {
		p = p[:max-d.out+1] // one more, to know that there is more
	}
	n, err := d.layers[len(d.layers)-1].Read(p)
	d.out += int64(n)
	if over := d.overLimit(); over != nil {
		if d.limits.MaxBytes > 0 {
			n -= int(max(d.out-d.limits.MaxBytes, 0))
		}
		d.err = over
		return n, over
	}
	d.err = err
	if n > 0 {
		return n, nil
	}
	return 0, err
}

func (d *Decoder) overLimit() error {
	if max := d.limits.MaxBytes; max > 0 && d.out > max {
		return failure.Newf(failure.BodyTooLarge, "more than %d bytes decoded", max)
	}
	in := d.layers[0].src.n
	if r := d.limits.MaxRatio; r > 0 && d.out > d.limits.slack && d.out/int64(r) > in {
		return failure.Newf(failure.BodyTooLarge, "%d bytes decoded from %d", d.out, in)
	}
	return nil
}

// Close closes the encoded body.
func (d *Decoder) Close() error {
	d.closing.Do(func() {
		d.closed.Store(true)
		d.closeEr = d.src.Close() // ends a Read that waits
		d.giveBack()
	})
	return d.closeEr
}

// giveBack returns the codecs to their pools, unless a Read runs; that one does
// it then.
func (d *Decoder) giveBack() {
	if !d.mu.TryLock() {
		return
	}
	defer d.mu.Unlock()
	for i := range d.layers {
		d.layers[i].free()
	}
}
