package handler

import (
	"sync"

	"github.com/ratmom/ratmom/config"
)

// Conversation hands what all transfers of one request say to the user's function, in
// order, from a goroutine of its own, which lives while there is something to hand over.
type Conversation struct {
	group *sync.WaitGroup // counts the goroutines

	mu      sync.Mutex
	queue   []utterance
	queued  int // bytes in queue
	running bool
}

type utterance struct {
	to    func(config.WireEvent)
	event config.WireEvent
}

// wireQueue is how much of the conversation waits for a slow function before
// bodies are left out, in bytes.
const wireQueue = 4 * 1024 * 1024

// NewConversation returns one whose goroutines group counts.
func NewConversation(group *sync.WaitGroup) *Conversation { return &Conversation{group: group} }

func (c *Conversation) add(to func(config.WireEvent), events []config.WireEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range events {
		if c.queued > wireQueue && e.Kind > config.WireHeaderSent {
			continue // its reader is slow: bodies are left out until it has caught up
		}
		c.queued += len(e.Data)
		c.queue = append(c.queue, utterance{to, e})
	}
	if !c.running && len(c.queue) > 0 {
		c.running = true
		c.group.Go(c.deliver)
	}
}

func (c *Conversation) deliver() {
	for {
		c.mu.Lock()
		q := c.queue
		c.queue, c.queued = nil, 0
		if len(q) == 0 {
			c.running = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		for _, u := range q {
			u.to(u.event)
		}
	}
}
