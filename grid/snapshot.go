package grid

import (
	"time"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

// Snapshot is the state of a manager at one moment.
type Snapshot struct {
	Self        string               // the name of this server
	Connections []ConnectionSnapshot // to all peers that are known, in the order of their names
	Handlers    []HandlerSnapshot    // all that are registered, in the order of their ids and subroutes
}

// ConnectionSnapshot is the state of a connection, with what runs on it.
type ConnectionSnapshot struct {
	Name      string        // of the peer
	State     State         // how it is doing
	Dialed    bool          // the present connection was dialled by this side; false if there is none
	Since     time.Time     // when the present connection was made; zero if there is none
	RTT       time.Duration // the last round trip that was measured on it; 0 if there is none
	Opened    uint64        // how often a connection was made
	LastError error         // why there is no connection: the last dial's error, or how the last one ended; nil if there is one
	Active    []Activity    // the calls and streams of both sides that run, in no order
	Traffic   Traffic       // of all connections to the peer so far
}

// Activity is a call or a stream that runs.
type Activity struct {
	Handler  HandlerID // the number it was issued for
	Name     string    // of the handler, if it is registered here
	Outgoing bool      // issued here; else by the peer
	Stream   bool      // a stream; else a call
	Since    time.Time // when it was issued or, if the peer has issued it, had begun to arrive
	Canceled bool      // over on this side, and not yet said to be on the other
}

// HandlerSnapshot has the counters of a handler.
type HandlerSnapshot struct {
	ID         HandlerID // its number
	Subroute   string    // with which it was registered; empty if with none
	Name       string    // see [Name]
	Stream     bool      // it is for streams
	Running    int       // how many requests it works at
	Waiting    int       // how many wait for their turn, see [MaxWaiting]
	Started    uint64    // how often it was called
	Failed     uint64    // of Started: that returned an error
	Panicked   uint64    // of Failed: that panicked
	Canceled   uint64    // of Started: whose result nobody waited for any more
	Overloaded uint64    // answered Overloaded at once
	BytesIn    uint64    // of requests, and of the messages that its streams have received
	BytesOut   uint64    // of results, and of the messages that its streams have sent
	Latency    Histogram // from arrival to the end of the handler
}

// Snapshot returns what runs now, and counters.
func (m *Manager) Snapshot() Snapshot {
	out := Snapshot{Self: m.cfg.Self}
	for _, c := range m.Connections() {
		out.Connections = append(out.Connections, c.Snapshot())
	}
	for _, h := range m.handlers.list() {
		out.Handlers = append(out.Handlers, h.snapshot())
	}
	return out
}

// Snapshot returns what runs on the connection now, and counters.
func (c *Connection) Snapshot() ConnectionSnapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := ConnectionSnapshot{Name: c.name, State: c.state, Opened: c.opened, LastError: c.lastErr, Traffic: c.past}
	for s := range c.sessions {
		s.stats.addTo(&out.Traffic)
		s.addActive(&out.Active)
	}
	s := c.current.Load()
	if s == nil {
		return out
	}
	out.Dialed = s.dialed
	out.Since = s.clock.time(s.since)
	out.RTT = time.Duration(s.rtt.Load())
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Traffic.QueueBytes = s.q.Bytes()
	out.Traffic.BulkWindow = int(s.q.BulkLimit)
	if t := s.q.Since(); t != 0 {
		out.Traffic.QueueAge = time.Duration(s.clock.now() - t)
	}
	return out
}

// addActive appends what runs on the session.
func (s *session) addActive(all *[]Activity) {
	name := func(id HandlerID, hasSubroute bool, subroute uint32) string {
		if h := s.m.handlers.find(id, hasSubroute, subroute); h != nil {
			return h.name
		}
		return ""
	}
	s.issued.all(func(r *request) {
		id := HandlerID(r.handler.Load())
		*all = append(*all, Activity{
			Handler: id, Name: name(id, false, 0), Outgoing: true, Stream: r.stream != nil,
			Since: s.clock.time(r.since.Load()), Canceled: r.state.Load() == givenUp,
		})
	})
	s.served.all(func(in *incoming) {
		*all = append(*all, Activity{
			Handler: in.handler, Name: name(in.handler, in.has&frame.HasSubroute != 0, in.subroute), Stream: in.stream != nil,
			Since: s.clock.time(in.arrived), Canceled: in.state.Load() != open,
		})
	})
}

func (h *handler) snapshot() HandlerSnapshot {
	return HandlerSnapshot{
		ID: h.id, Subroute: h.subroute, Name: h.name, Stream: h.stream != nil,
		Running: int(h.running.Load()), Waiting: int(h.waiting.Load()),
		Started: h.started.Load(), Failed: h.failed.Load(), Panicked: h.panicked.Load(),
		Canceled: h.canceled.Load(), Overloaded: h.overloaded.Load(),
		BytesIn: h.bytesIn.Load(), BytesOut: h.bytesOut.Load(), Latency: h.latency.load(),
	}
}
