package body

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// A codec decodes one format. It is used again and again.
type codec interface {
	// open begins to decode br, which has at least one byte. The codec takes no
	// more of br than belongs to its format, if that has an end of its own.
	open(br *bufio.Reader) error
	// Read returns io.EOF at the end of the format, checksums verified.
	Read(p []byte) (int, error)
	// release drops what refers to the body.
	release()
}

var codecs = map[string]*sync.Pool{
	"gzip":    {New: func() any { return new(gzipCodec) }},
	"deflate": {New: func() any { return new(deflateCodec) }},
	"br":      {New: func() any { return new(brotliCodec) }},
	"zstd":    {New: func() any { return new(zstdCodec) }},
}

// noInput is what codecs at rest read.
var noInput = bufio.NewReader(strings.NewReader(""))

// gzipCodec decodes RFC 1952, with any number of members. It goes from one to
// the next itself: gzip.Reader would hold the last bytes of a member back until
// it has seen whether another one follows.
type gzipCodec struct {
	r   gzip.Reader
	br  *bufio.Reader
	gap bool // between two members
}

func (c *gzipCodec) open(br *bufio.Reader) error {
	c.br, c.gap = br, false
	return c.member()
}

func (c *gzipCodec) member() error {
	if magic, err := c.br.Peek(1); err != nil {
		return err
	} else if magic[0] != 0x1f {
		if c.gap {
			return errBehindEnd
		}
		return gzip.ErrHeader
	}
	if err := c.r.Reset(c.br); err != nil {
		return err
	}
	c.r.Multistream(false)
	return nil
}

func (c *gzipCodec) Read(p []byte) (int, error) {
	for {
		if c.gap {
			if _, err := c.br.Peek(1); err != nil {
				return 0, err // io.EOF: no further member
			}
			if err := c.member(); err != nil {
				return 0, noEOF(err)
			}
			c.gap = false
		}
		n, err := c.r.Read(p)
		c.gap = err == io.EOF
		if n > 0 || !c.gap {
			if c.gap {
				err = nil
			}
			return n, err
		}
	}
}

func (c *gzipCodec) release() { c.br = nil }

// deflateCodec decodes zlib's format, RFC 1950, and, as servers got the name
// wrong for years, deflate without it, RFC 1951.
type deflateCodec struct {
	zlib io.ReadCloser // made when first needed
	raw  io.ReadCloser
	r    io.Reader
}

func (c *deflateCodec) open(br *bufio.Reader) error {
	head, err := br.Peek(2)
	if err != nil {
		return err
	}
	if !isZlib(head[0], head[1]) {
		if c.raw == nil {
			c.raw = flate.NewReader(br)
		} else if err := c.raw.(flate.Resetter).Reset(br, nil); err != nil {
			return err
		}
		c.r = c.raw
		return nil
	}
	if c.zlib == nil {
		c.zlib, err = zlib.NewReader(br)
	} else {
		err = c.zlib.(zlib.Resetter).Reset(br, nil)
	}
	c.r = c.zlib
	return err
}

// isZlib recognises the header of RFC 1950. A raw stream cannot look like it:
// it would begin with a stored block whose padding is not zero.
func isZlib(cmf, flg byte) bool {
	return cmf&0x0f == 8 && cmf>>4 <= 7 && (uint(cmf)<<8|uint(flg))%31 == 0
}

func (c *deflateCodec) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *deflateCodec) release() {
	c.r = nil
	if c.raw != nil {
		_ = c.raw.(flate.Resetter).Reset(noInput, nil)
	}
}

// brotliCodec decodes RFC 7932. Its window is 16 MiB at most.
type brotliCodec struct{ r brotli.Reader }

func (c *brotliCodec) open(br *bufio.Reader) error { return c.r.Reset(br) }

// Read asks again before it believes in excess: where the last bits of a stream came
// to the decoder in a piece of their own, it takes them for such. Asked once more, it
// answers with the end of its source, or finds what is truly too much; a byte or two
// that it has taken into its bit buffer by then go unseen.
func (c *brotliCodec) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err == nil || err.Error() != "brotli: excessive input" {
		return n, err
	}
	if n > 0 {
		return n, nil
	}
	return c.r.Read(p)
}

func (c *brotliCodec) release() { _ = c.r.Reset(noInput) }

// maxZstdWindow is what an HTTP client need not exceed (RFC 9659), in bytes.
const maxZstdWindow = 8 << 20

// zstdCodec decodes RFC 8878.
type zstdCodec struct{ d *zstd.Decoder }

func (c *zstdCodec) open(br *bufio.Reader) (err error) {
	if c.d == nil {
		// One decoder without goroutines: it decodes in Read, a block at a time.
		c.d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return err
		}
	}
	return c.d.Reset(br)
}

func (c *zstdCodec) Read(p []byte) (int, error) {
	n, err := c.d.Read(p)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = errors.New("window larger than 8 MiB")
	}
	return n, err
}

func (c *zstdCodec) release() { _ = c.d.Reset(nil) }
