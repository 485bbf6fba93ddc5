package retry

// Reuse says which requests may ride a connection that has served others. The race
// behind it: a server may close an idle connection at the moment a request is sent, and
// nobody knows then whether it was processed. The names are those of HAProxy's
// http-reuse.
type Reuse uint8

const (
	// ReuseAlways lets every request ride any connection.
	ReuseAlways Reuse = iota
	// ReuseAggressive wants connections that have been reused before, for requests that
	// could not be repeated.
	ReuseAggressive
	// ReuseSafe gives requests that could not be repeated a new connection.
	ReuseSafe
	// ReuseNever gives every request a new connection.
	ReuseNever
)

var reuseText = [...]string{"always", "aggressive", "safe", "never"}

// String returns "always", "aggressive", "safe" or "never".
func (m Reuse) String() string {
	if int(m) < len(reuseText) {
		return reuseText[m]
	}
	return "?"
}

// Allows reports whether the request may ride a connection that has served so many
// others; a new one, that has served none, is for all.
func (m Reuse) Allows(q Request, served int) bool {
	if served == 0 {
		return true
	}
	switch m {
	case ReuseAlways:
		return true
	case ReuseAggressive:
		return served > 1 || q.Repeatable() && q.Replayable
	case ReuseSafe:
		return q.Repeatable() && q.Replayable
	}
	return false
}
