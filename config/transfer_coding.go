package config

import "github.com/ratmom/ratmom/cgo"

// TransferDecoding undoes the transfer coding of HTTP/1 responses, which is chunks for
// all servers there are. A program that hands responses on as they are, such
// as a proxy, switches it off together with [Decompression]: a body is then read byte
// for byte as it came, chunk sizes and trailers among them, and the response says so
// in TransferEncoding and in its header. Where the message ends is seen all the same.
// HTTP/2 and later have no such codings.
//
// Default: true. CURLOPT_HTTP_TRANSFER_DECODING.
func TransferDecoding(on bool) Option { return both(transferDecoding(on)) }

// TransferDecoding returns the value of the option of that name.
func (r *RequestConfig) TransferDecoding() bool {
	s, ok := lookup[transferDecoding](r)
	return bool(s) || !ok
}

type transferDecoding bool

func (transferDecoding) validate() error { return nil }

func (s transferDecoding) encode(o *cgo.Options) {
	if !s {
		o.Long(cgo.OptHTTPTransferDecoding, 0)
		o.Long(cgo.OptHTTPContentDecoding, 0) // 7.88.1 decodes gzip as a transfer coding else
	}
}

// TransferCompression offers servers to compress HTTP/1 responses on the way (TE:
// gzip), which is undone as a part of the message: the response is what it would have
// been without. Hardly any server does so. It is undone in Go, so that a body cut short
// is an error; the limits of [MaxDecompressedBytes] hold. Newer libcurls (seen
// with 8.14.1, not with 7.88.1) do not use the connection of such a response again. It has no effect beside
// TransferDecoding(false).
//
// Default: false. CURLOPT_TRANSFER_ENCODING.
func TransferCompression(on bool) Option { return both(transferCompression(on)) }

// TransferCompression returns the value of the option of that name.
func (r *RequestConfig) TransferCompression() bool {
	s, _ := lookup[transferCompression](r)
	return bool(s) && r.TransferDecoding()
}

type transferCompression bool

func (transferCompression) validate() error { return nil }

func (s transferCompression) encode(o *cgo.Options) {
	if s {
		transferDecoding(false).encode(o) // it is done in Go
	}
}
