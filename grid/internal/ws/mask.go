package ws

import (
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
)

// From so many bytes on, the key is spread over a pattern first: XORBytes does the rest with the widest
// registers that there are.
const (
	patternFrom = 4 << 10
	patternSize = 1 << 10
)

// mask writes src under key to dst, which has its length and may be it, and gives the key for what
// follows (RFC 6455, section 5.3).
func mask(dst, src []byte, key uint32) uint32 {
	if key == 0 {
		copy(dst, src)
		return 0
	}
	dst = dst[:len(src)]
	wide := uint64(key)<<32 | uint64(key)
	if len(src) >= patternFrom {
		var pattern [patternSize]byte
		for i := 0; i < patternSize; i += 8 {
			binary.LittleEndian.PutUint64(pattern[i:], wide)
		}
		for len(src) >= patternSize {
			subtle.XORBytes(dst, src[:patternSize], pattern[:])
			dst, src = dst[patternSize:], src[patternSize:]
		}
	}
	for len(src) >= 32 {
		d, s := dst[:32:32], src[:32:32]
		binary.LittleEndian.PutUint64(d[0:], binary.LittleEndian.Uint64(s[0:])^wide)
		binary.LittleEndian.PutUint64(d[8:], binary.LittleEndian.Uint64(s[8:])^wide)
		binary.LittleEndian.PutUint64(d[16:], binary.LittleEndian.Uint64(s[16:])^wide)
		binary.LittleEndian.PutUint64(d[24:], binary.LittleEndian.Uint64(s[24:])^wide)
		dst, src = dst[32:], src[32:]
	}
	for len(src) >= 8 {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^wide)
		dst, src = dst[8:], src[8:]
	}
	for i := range src {
		dst[i] = src[i] ^ byte(wide>>(8*i))
	}
	return bits.RotateLeft32(key, -8*(len(src)&3))
}
