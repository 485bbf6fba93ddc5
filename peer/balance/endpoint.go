package balance

import "time"

// Endpoint is one address of a peer, as the scheduler knows it. The scheduler keeps the
// exported fields true; policies read them. InFlight, Waiting and Latency are kept by a
// [Flight] for each request.
type Endpoint struct {
	// ID is never used for another endpoint of the same peer.
	ID uint64

	// Address is ip:port, or the path of a Unix socket.
	Address string

	// Name is what hashing policies know the endpoint by. It should outlive a change of
	// address. Empty means Address.
	Name string

	// Zone is where the endpoint stands; empty is nowhere in particular.
	Zone string

	// Priority is that of an SRV record (RFC 2782): [Usable] takes endpoints of a higher
	// number only when too few of a lower one are up.
	Priority int

	// Weight is the endpoint's share beside the others'. What is not above 0 counts as 1,
	// what is above 65535, the highest of an SRV record, as that.
	Weight float64

	// InFlight is the number of requests that were placed on the endpoint and have not
	// ended.
	InFlight int

	// Latency is the time that the endpoint needs to the head of a response.
	Latency Latency

	// Waiting is when the oldest of the requests began that still wait for their head.
	// Zero is that none waits.
	Waiting time.Time

	// Since is when the endpoint came into use, or came back after it had been down.
	// [SlowStart] counts from here. Zero is long ago.
	Since time.Time

	// Down says that the endpoint should not be used: ejected, refusing, failing its
	// checks. [Usable] leaves it out.
	Down bool

	oldest, youngest *Flight // those that wait

	ramp    float64 // share of the weight that slow start allows; 0 is all
	current float64 // what round robin owes it
	hashed  hashed  // of its name
	carp    carpMember
	token   token
}

// maxWeight is the highest weight of an SRV record.
const maxWeight = 65535

// weight is the configured weight.
func (e *Endpoint) weight() float64 {
	switch w := e.Weight; {
	case !(w > 0): // NaN too
		return 1
	case w > maxWeight:
		return maxWeight
	default:
		return w
	}
}

// share is the weight that counts now, slow start included.
func (e *Endpoint) share() float64 {
	if e.ramp == 0 {
		return e.weight()
	}
	return e.weight() * e.ramp
}

// name is what hashing policies hash.
func (e *Endpoint) name() string {
	if e.Name != "" {
		return e.Name
	}
	return e.Address
}
