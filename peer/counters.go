package peer

import "time"

// Counters count what has happened since the map was opened. None of them ever falls.
// A request that is under way is in Requests alone.
type Counters struct {
	// Requests were submitted, of which so many have been Answered to the last byte, whatever the status;
	// have Failed; were Cancelled, by the caller, its context, a timeout or the end of whoever
	// held them.
	Requests  uint64 `json:"requests"`
	Answered  uint64 `json:"answered"`
	Failed    uint64 `json:"failed"`
	Cancelled uint64 `json:"cancelled"`
	// Refused are those of Failed that were not tried, because the peer had failed before.
	Refused uint64 `json:"refused"`
	// Revealed requests have ended after something of them may have left;
	// Unrevealed ones before.
	Revealed   uint64 `json:"revealed"`
	Unrevealed uint64 `json:"unrevealed"`
	// Retries are requests that were queued again after a connection had failed them.
	Retries uint64 `json:"retries"`
	// Moves are requests that were taken back before they were sent, and put on another link.
	Moves uint64 `json:"moves"`
	// LinksOpened are the links that were made, LinksConnected those of them that have had their connection.
	LinksOpened    uint64 `json:"links_opened"`
	LinksConnected uint64 `json:"links_connected"`
	// LinksClosed are those that were closed, by [LinkEnd], as its String has it; reasons that did not occur are missing.
	LinksClosed map[string]uint64 `json:"links_closed,omitempty"`
	// Ejections of endpoints as outliers, and Restores: how often one was taken back into use.
	Ejections uint64 `json:"ejections"`
	Restores  uint64 `json:"restores"`
	// Pins were made, of which so many have lost their connection to the server.
	Pins     uint64 `json:"pins"`
	PinsLost uint64 `json:"pins_lost"`
}

// Add adds the counters of another peer.
func (c *Counters) Add(o Counters) {
	c.Requests += o.Requests
	c.Answered += o.Answered
	c.Failed += o.Failed
	c.Cancelled += o.Cancelled
	c.Refused += o.Refused
	c.Revealed += o.Revealed
	c.Unrevealed += o.Unrevealed
	c.Retries += o.Retries
	c.Moves += o.Moves
	c.LinksOpened += o.LinksOpened
	c.LinksConnected += o.LinksConnected
	for k, n := range o.LinksClosed {
		if c.LinksClosed == nil {
			c.LinksClosed = make(map[string]uint64)
		}
		c.LinksClosed[k] += n
	}
	c.Ejections += o.Ejections
	c.Restores += o.Restores
	c.Pins += o.Pins
	c.PinsLost += o.PinsLost
}

// Counters returns those of the peer.
func (p *Peer) Counters() Counters {
	var n counts
	p.look(func(time.Time) { n = p.s.count })
	return n.public()
}

// Counters returns the sums of all peers. They are not of one moment: one peer is locked at a time.
func (m *Map) Counters() (sum Counters) {
	m.ForEach(func(p *Peer) bool {
		sum.Add(p.Counters())
		return true
	})
	return sum
}

func (n *counts) public() Counters {
	c := n.Counters
	for why, k := range n.ends {
		if k > 0 {
			if c.LinksClosed == nil {
				c.LinksClosed = make(map[string]uint64)
			}
			c.LinksClosed[LinkEnd(why).String()] = k
		}
	}
	return c
}
