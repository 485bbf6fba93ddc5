package retry

// Class says how a try has ended.
type Class uint8

const (
	// Other is an end after which another try would not help, or is not wanted: an
	// answer, a certificate that is not trusted, a request that was given up.
	Other Class = iota
	// Connect is a connection that could not be made: the name was not resolved, the
	// host refused or did not answer, the handshake broke off. Nothing of the request
	// was sent.
	Connect
	// NeverSent is a connection that was there and had gone before anything of the
	// request was sent.
	NeverSent
	// Refused is a server that says that it has not processed the request:
	// REFUSED_STREAM, or beyond the last stream of a GOAWAY (RFC 9113, section 8.7).
	Refused
	// Stale is a connection from an earlier request that died before the first byte of
	// the response. Mostly the server had closed it while it was idle, but it may have
	// processed the request.
	Stale
	// Broken is a new connection, or a stream, that died before the head of the
	// response, after something may have been sent.
	Broken
	// Timeout is a head that did not come in time.
	Timeout
	// Status is a response whose status says that another try may help.
	Status

	classes
)

var classText = [classes]string{
	"other", "no connection", "never sent", "refused stream", "stale connection", "broken connection", "timeout", "status",
}

// String returns a few words, such as "stale connection".
func (c Class) String() string {
	if c < classes {
		return classText[c]
	}
	return classText[Other]
}

// Unprocessed reports whether the server has done nothing for the request, whatever
// its method.
func (c Class) Unprocessed() bool { return c == Connect || c == NeverSent || c == Refused }

// telling orders the classes by how far a request came.
var telling = [classes]int{Connect: 1, NeverSent: 2, Refused: 3, Stale: 4, Timeout: 5, Broken: 6, Other: 7, Status: 8}

// TellsMore reports whether an end of class c says more of why a request failed than one of class than, which it had beside it: whether it
// came further. From the least: no connection, never sent, refused stream, stale connection, timeout, broken
// connection, other, status.
func (c Class) TellsMore(than Class) bool {
	return c < classes && (than >= classes || telling[c] > telling[than])
}

// Classes is a set of them.
type Classes uint16

// Of returns a set.
func Of(list ...Class) Classes {
	var s Classes
	for _, c := range list {
		s |= 1 << c
	}
	return s
}

// Has reports whether c is in the set.
func (s Classes) Has(c Class) bool { return s&(1<<c) != 0 }

// AllClasses is every class but [Other].
const AllClasses Classes = 1<<classes - 2
