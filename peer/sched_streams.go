package peer

import "time"

// streams is what is learned of how many requests an HTTP/2 link takes at once.
// libcurl does not tell. One that is too many is refused the connection, as each is after
// a GOAWAY; only of one that was alone there it is certain that the connection is over.
type streams struct {
	limited bool // one was refused
	answers int  // since then, while the link was full
	after   int  // so many of them it is tried whether the limit is higher
	trying  bool // it is, and none was refused since
}

// enter notes a run that begins on the link.
func (l *link) enter(r *run) {
	r.alone = l.runs == 1
	if l.runs == 2 {
		l.running[0].alone = false // they need not come to the agent in this order
	}
}

// lower notes that one of those that were put on a link together was too many. Each that was
// is told of, so that what is left in the end is what the link has taken. That is
// too low where some were over by then.
func (s *scheduler) lower(l *link, now time.Time) {
	st := &l.streams
	switch {
	case !st.limited:
		l.limit, st.limited, st.after = max(l.runs, 1), true, s.limits.probeAfter
	case st.trying:
		st.after = min(2*st.after, maxProbeAfter)
		fallthrough
	default:
		l.limit = max(l.limit-1, 1)
	}
	st.trying, st.answers = false, 0
	s.settle(l, now)
}

// An HTTP/2 link that is full as often as this, and answers, is found to be no wider; and the
// next try whether it is waits longer each time, up to this.
const (
	sureAfter     = 4
	maxProbeAfter = 4096
)

// taken notes that a link has answered, and widens it where that was often so at
// the limit: it may have been found too low, or the server takes more by now. If not, one is
// refused, which costs nothing: it goes back to the queue. It reports whether there
// is room that there was not.
func (s *scheduler) taken(l *link, now time.Time) bool {
	st := &l.streams
	if !st.limited || l.runs < l.limit {
		return false
	}
	if st.answers++; st.answers == sureAfter {
		s.streams = l.limit
	}
	if st.answers < st.after || l.limit >= s.limits.maxStreams {
		return false
	}
	if st.trying { // it was higher
		st.after = s.limits.probeAfter
	}
	st.trying, st.answers = true, 0
	l.limit++
	s.settle(l, now)
	return true
}
