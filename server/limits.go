package server

import (
	"time"

	"github.com/ratmom/ratmom/internal/http1"
)

// Limits bound what a client can cost. A zero field means its default, a negative one no limit.
// HeadBytes, HeadLines, URIBytes, BodyBytes and WriteRate bound HTTP/2, too; the others are HTTP/1's.
type Limits struct {
	// HeadBytes bounds a request's head, with its request line and its blank line, and a trailer
	// section. Beyond it the answer is 431. Default 64 KiB.
	HeadBytes int
	// HeadLines bounds the field lines of a head, and of a trailer section. Beyond it the answer is
	// 431. Default 128.
	HeadLines int
	// URIBytes bounds the request target. Beyond it the answer is 414. Default 16 KiB.
	URIBytes int
	// BodyBytes bounds a request's body, as it comes out of the chunked coding. A greater
	// Content-Length is answered with 413 before the handler runs; of a chunked body the handler
	// reads that much and then a *http.MaxBytesError. Default: no limit.
	BodyBytes int64

	// HeadRate is the least average rate, in bytes per second, at which a head may come once
	// RateGrace is over. Slower ones are answered with 408. Default 240.
	HeadRate int
	// BodyRate is the same for bodies; only the time in which somebody waits for bytes counts.
	// Default: no limit, since uploads may pause for good reasons.
	BodyRate int
	// RateGrace is how long a head or a body may take before its rate counts. Default 5 seconds.
	RateGrace time.Duration

	// WriteRate is the least average rate, in bytes per second, at which a client must take its
	// answers. Only while a write waits for the client it counts, not while the handler works. Who takes
	// less for WriteGrace is cut off. Default 240.
	WriteRate int
	// WriteGrace is the time over which WriteRate counts: so long a client may take nothing at all.
	// Default a minute.
	WriteGrace time.Duration

	// Requests bounds the requests of one connection; the last one is answered with
	// Connection: close. Default: no limit.
	Requests int
	// PipelineBuffer is how many bytes of its answer an exchange may have written before it is its
	// turn; then its handler's Write blocks. Default 64 KiB.
	PipelineBuffer int
	// DrainBytes is how much of a body that its handler did not read is read and dropped, so that
	// the connection can go on. If there is more, or it comes more slowly than a head may
	// (HeadRate), it is closed. Default 256 KiB.
	DrainBytes int64
}

func (l Limits) withDefaults() Limits {
	l.HeadBytes = limit(l.HeadBytes, 64<<10)
	l.HeadLines = limit(l.HeadLines, 128)
	l.URIBytes = limit(l.URIBytes, 16<<10)
	l.BodyBytes = limit(l.BodyBytes, noLimit)
	l.HeadRate = rate(l.HeadRate, 240)
	l.BodyRate = rate(l.BodyRate, 0)
	l.RateGrace = limit(l.RateGrace, 5*time.Second)
	l.WriteRate = rate(l.WriteRate, 240)
	l.WriteGrace = limit(l.WriteGrace, time.Minute)
	l.Requests = limit(l.Requests, noLimit)
	l.PipelineBuffer = limit(l.PipelineBuffer, 64<<10)
	l.DrainBytes = limit(l.DrainBytes, 256<<10)
	return l
}

// section is what of them holds for a head or a trailer section.
func (l *Limits) section() http1.Limits { return http1.Limits{Bytes: l.HeadBytes, Lines: l.HeadLines} }

const noLimit = 1 << 62

func limit[T int | int64 | time.Duration](given, otherwise T) T {
	switch {
	case given < 0:
		return noLimit
	case given == 0:
		return otherwise
	}
	return given
}

// rate is limit for a lower bound: none is zero.
func rate(given, otherwise int) int {
	switch {
	case given < 0:
		return 0
	case given == 0:
		return otherwise
	}
	return given
}

// Relax names what may be let through that is refused by default. Each of these has been used to
// make two programs in a row see different requests in the same bytes.
type Relax struct {
	// BareLF accepts lines of a head that end with LF alone.
	BareLF bool
	// RawTarget accepts bytes beyond ASCII, and fragments, in the request target.
	RawTarget bool
	// ConnectPath accepts CONNECT with a path, as net/rpc sends it.
	ConnectPath bool
}
