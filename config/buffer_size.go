package config

import "github.com/ratmom/ratmom/cgo"

// 64 KiB take a fast body in a quarter of the reads of libcurl's default, 16 KiB.
const defaultBufferSize = 64 << 10

// BufferSize sets the size of the buffer that libcurl receives into: the most
// that one read from a socket can take. It is held only while a response is being
// received.
//
// Unit: bytes, 1 KiB to 512 KiB. Default: 64 KiB. CURLOPT_BUFFERSIZE. libcurl before
// version 8 gets at least 32 KiB: in less it cannot take what it reads at once for an
// HTTP/2 connection, and forgets the rest.
func BufferSize(n int) Option { return both(bufferSize(n)) }

type bufferSize int

func (s bufferSize) validate() error { return checkRange("BufferSize", int(s), 1<<10, 512<<10) }

func (s bufferSize) encode(o *cgo.Options) {
	if cgo.Features().Version < 0x080000 {
		s = max(s, 32<<10)
	}
	o.Long(cgo.OptBufferSize, int64(s))
}

// UploadBufferSize sets the size of the buffer that libcurl sends a request body
// from.
//
// Unit: bytes, 16 KiB to 2 MiB. Default: 96 KiB for http URLs, where each send wakes the other side
// and larger ones are fewer; else, and with [MaxUploadSpeed], to which a larger piece is a longer
// pause, 64 KiB, libcurl's. CURLOPT_UPLOAD_BUFFERSIZE.
func UploadBufferSize(n int) Option { return both(uploadBufferSize(n)) }

type uploadBufferSize int

func (s uploadBufferSize) validate() error {
	return checkRange("UploadBufferSize", int(s), 16<<10, 2<<20)
}

func (s uploadBufferSize) encode(o *cgo.Options) { o.Long(cgo.OptUploadBufferSize, int64(s)) }

// clearUploadBuffer leaves the body's reader a quarter of the memory that lies between it and libcurl to
// fill meanwhile. Over TLS and in HTTP/2, where records and frames set the pace, more than 64 KiB costs.
const clearUploadBuffer = 96 << 10

// encodeUploadBuffer sets the default that depends on how a body travels.
func (r *RequestConfig) encodeUploadBuffer(o *cgo.Options, t target) {
	if r.clearUploads && t.url.Scheme == "http" {
		o.Long(cgo.OptUploadBufferSize, clearUploadBuffer)
	}
}
