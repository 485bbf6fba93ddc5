package peer

import "sync"

// uploaded is how far a request's content is, for OnUpload's function. The agent notes it, and a worker tells
// of what there is when it comes to it.
type uploaded struct {
	mu          sync.Mutex
	sent, total int64
	busy        bool // a worker tells, or will
	news        bool
}

// sentFunc is what notes it; nil: nobody asks.
func (c *call) sentFunc() func(sent, total int64) {
	if c.upload == nil {
		return nil
	}
	return c.sent
}

// sent is on the agent's goroutine.
func (c *call) sent(n, total int64) {
	u := c.upload
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sent, u.total, u.news = n, total, true
	if !u.busy {
		u.busy = true
		c.peer.m.work.Submit(c.tellSent)
	}
}

func (c *call) tellSent() {
	u := c.upload
	for {
		u.mu.Lock()
		if !u.news {
			u.busy = false
			u.mu.Unlock()
			return
		}
		u.news = false
		sent, total := u.sent, u.total
		u.mu.Unlock()
		c.opt.upload(sent, total)
	}
}
