package server

// pipeline knows which exchanges of a connection are at work, and whose turn it is to write. It is
// a state machine without clock, socket, goroutine or lock.
type pipeline struct {
	ahead       int // how many may be at work besides the first
	first, last *exchange
	active      int
	barrier     bool // the last one is unsafe: nothing may begin before it has ended
}

// admits reports whether an exchange may begin now. An unsafe one begins alone.
func (p *pipeline) admits(safe bool) bool {
	return p.active == 0 || safe && !p.barrier && p.active <= p.ahead
}

func (p *pipeline) push(ex *exchange) {
	if p.last == nil {
		p.first = ex
	} else {
		p.last.next = ex
	}
	p.last = ex
	p.active++
	p.barrier = !ex.safe
}

// pop takes off the first one, when all of its answer has been handed over.
func (p *pipeline) pop() {
	ex := p.first
	p.first, ex.next = ex.next, nil
	p.active--
	if p.first == nil {
		p.last, p.barrier = nil, false
	}
}
