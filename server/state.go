package server

// State is how far a connection's life has come.
type State int

const (
	// Open: requests are read and answered.
	Open State = iota
	// Closed: the socket is gone and the contexts of its requests are cancelled, but handlers are
	// still at work.
	Closed
	// Dead: the last handler has returned, and nothing refers to the connection any more.
	Dead
)

func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Closed:
		return "closed"
	case Dead:
		return "dead"
	}
	return "unknown"
}
