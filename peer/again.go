package peer

import "sync"

// calls has memory of calls of [Map.Do] that have ended.
var calls = sync.Pool{New: func() any { return new(call) }}

// giveBack has the memory of a call used again whose result its caller has taken, who was the only one to have it.
func (c *call) giveBack() {
	if c.private() {
		c.use = use{}
		calls.Put(c)
	}
}

// private reports whether nobody has the call any more but who asks, who made it and has its result. That is so of one
// that ended with the response of its only run: the agent has told of the end of that, after which it does not know it, and
// the scheduler forgot the tag before it told. Whatever else may have the call has left a trace: a worker, a timer, a
// context, a pin, a reader of the request's body, another run. What is looked at after worker, timers and context is
// written by nobody else then.
func (c *call) private() bool {
	return c.result != nil && !c.worked && c.timer == nil && c.deadline == nil && c.unctx == nil && c.tag.pin == nil &&
		c.upload == nil && c.ended && c.endErr == nil && c.runs == 1
}
