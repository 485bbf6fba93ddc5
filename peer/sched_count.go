package peer

// LinkEnd is why a link was closed.
type LinkEnd uint8

const (
	EndOther     LinkEnd = iota
	EndFailed            // its connection could not be made
	EndDropped           // it was given up in the making: its request was cancelled or went elsewhere
	EndDown              // the server closed it, it broke, something came on it unasked, or a request was cancelled when it was on its way
	EndIdle              // nothing ran on it, for [IdleTimeout] or when [Map.CloseIdle] was called
	EndWorn              // by [MaxLinkAge] or [MaxRequestsPerLink]
	EndReplaced          // a new one was wanted in its place
	EndEjected           // its endpoint was ejected
	EndUnhealthy         // checks have found its endpoint down
	EndGone              // its endpoint is not the peer's any more
	EndReleased          // it was pinned, and its owner let it go
	EndClosed            // the map was closed

	linkEnds
)

var linkEndText = [linkEnds]string{
	"other", "failed", "dropped", "down", "idle", "worn", "replaced", "ejected", "unhealthy", "gone", "released", "closed",
}

// String returns one word, such as "idle".
func (e LinkEnd) String() string {
	if e < linkEnds {
		return linkEndText[e]
	}
	return linkEndText[EndOther]
}

// counts are what a scheduler has done.
type counts struct {
	Counters
	ends [linkEnds]uint64
}

// because notes why a link is about to be closed; the first reason counts.
func (l *link) because(why LinkEnd) {
	if l.why == EndOther {
		l.why = why
	}
}

// countEnd counts the end of a tag.
func (s *scheduler) countEnd(t *tag, o outcome) {
	switch {
	case o.err == nil:
		s.count.Answered++
	case o.cancelled:
		s.count.Cancelled++
	default:
		s.count.Failed++
	}
	if t.revealed {
		s.count.Revealed++
	} else {
		s.count.Unrevealed++
	}
}

// endOf is why a link closes whose run has ended without a connection to go on with.
func endOf(t *tag, opened bool, o outcome) LinkEnd {
	switch {
	case opened || o.lost:
		return EndDown
	case t == nil: // cancelled
		return EndDropped
	}
	return EndFailed
}
