package config

import "math"

// MaxBodyBytes bounds the size of a response's body, as it comes over the wire and
// when its compression is undone. A response that announces more fails before its
// body is read, a longer one while it is read, both with ErrBodyTooLarge; no byte over
// the limit is handed out.
//
// Unit: bytes. Default: 0, no limit. CURLOPT_MAXFILESIZE_LARGE, but counted in Go.
func MaxBodyBytes(n int64) Option { return both(maxBodyBytes(n)) }

// MaxBodyBytes returns the value of the option of that name.
func (r *RequestConfig) MaxBodyBytes() int64 {
	s, _ := lookup[maxBodyBytes](r)
	return int64(s)
}

type maxBodyBytes int64

func (s maxBodyBytes) validate() error {
	return checkRange("MaxBodyBytes", int64(s), 0, math.MaxInt64-1)
}

// MaxDecompressedBytes bounds what comes out of a compressed body: more is an error,
// ErrBodyTooLarge, when it is read. It is for bodies whose size on the wire may be
// large otherwise; [MaxBodyBytes] bounds both. Whatever the limit, a body that grows to
// more than 64 MiB and 2000 times its size is refused as a decompression bomb.
//
// Unit: bytes. Default: 0, no limit but that.
func MaxDecompressedBytes(n int64) Option { return both(maxDecompressedBytes(n)) }

// MaxDecompressedBytes returns how much may come out of a compressed body: the lower
// of the two limits, 0 if there is none.
func (r *RequestConfig) MaxDecompressedBytes() int64 {
	s, _ := lookup[maxDecompressedBytes](r)
	n, body := int64(s), r.MaxBodyBytes()
	if n == 0 || body > 0 && body < n {
		return body
	}
	return n
}

type maxDecompressedBytes int64

func (s maxDecompressedBytes) validate() error {
	return checkRange("MaxDecompressedBytes", int64(s), 0, math.MaxInt64-1)
}
