package gridtest

import (
	"fmt"
	"time"
)

// Path says what becomes of bytes on their way in one direction.
type Path int

const (
	// Open paths deliver.
	Open Path = iota
	// Stalled paths hold everything back, as lost packets do that are sent again: what
	// was written arrives once the path is Open. Writes block when the buffer is full.
	Stalled
	// Dark paths lose everything, the end of a connection too. A connection that was open meanwhile
	// stays dark in this direction for good, since no later byte could follow
	// the lost ones; a new one is not concerned. Writes block when the buffer is full.
	Dark
	// Vanishing paths are Dark ones whose buffer never gets full.
	Vanishing
)

func (p Path) String() string {
	switch p {
	case Open:
		return "open"
	case Stalled:
		return "stalled"
	case Dark:
		return "dark"
	case Vanishing:
		return "vanishing"
	}
	return fmt.Sprintf("path %d", int(p))
}

// lossy says if bytes are lost.
func (p Path) lossy() bool { return p == Dark || p == Vanishing }

// DefaultBuffer is how many bytes a direction of a connection holds by default.
const DefaultBuffer = 256 << 10

// Faults are what happens to the bytes from one node to another. The zero value is a
// perfect network. Everything but Path concerns bytes that are written (ShortReads:
// read) after the change.
type Faults struct {
	// Path delivers, holds or loses. A dial waits until both directions are Open.
	Path Path
	// Latency is the time from a write to the arrival. A dial takes that of both directions.
	Latency time.Duration
	// Jitter adds up to so much to Latency, piece by piece. The order is kept.
	Jitter time.Duration
	// Bandwidth is in bytes a second, shared by all connections in this direction. 0: no limit.
	Bandwidth int
	// Buffer is how many bytes may have been written and not read; more must
	// wait. 0: DefaultBuffer.
	Buffer int
	// Chop breaks writes up: pieces of 1 to Chop bytes travel, and may have to wait, by
	// themselves. 0: no such thing.
	Chop int
	// ShortReads makes a read return 1 to ShortReads bytes at most. 0: no such thing.
	ShortReads int
	// ResetAt resets a connection once so many bytes of it went in this direction: the
	// write is cut short there. 0: never.
	ResetAt int64
	// CorruptAt flips a bit in one byte of each connection, the first being 1. 0: none.
	CorruptAt int64
}

func (f Faults) buffer() int {
	if f.Buffer > 0 {
		return f.Buffer
	}
	return DefaultBuffer
}
