package grid

import (
	"encoding/binary"
	"errors"
)

// params is what the two sides of a session tell each other of themselves when it is opened.
// Later versions may add to it.
type params struct {
	started uint64 // when the process started, in nanoseconds since 1970, to tell which is the later one
	calls   uint32 // how many it serves at a time
	streams uint32
	message uint64 // the longest message it takes
	flags   byte
}

// wantsSum is the flag of params that asks for checksums.
const wantsSum = 1

const paramsLen = 8 + 4 + 4 + 8 + 1

var errParams = errors.New("malformed parameters")

func (p params) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, p.started)
	b = binary.BigEndian.AppendUint32(b, p.calls)
	b = binary.BigEndian.AppendUint32(b, p.streams)
	b = binary.BigEndian.AppendUint64(b, p.message)
	return append(b, p.flags)
}

func parseParams(b []byte) (p params, err error) {
	if len(b) < paramsLen {
		return p, errParams
	}
	return params{
		started: binary.BigEndian.Uint64(b),
		calls:   binary.BigEndian.Uint32(b[8:]),
		streams: binary.BigEndian.Uint32(b[12:]),
		message: binary.BigEndian.Uint64(b[16:]),
		flags:   b[24],
	}, nil
}
