package grid

import (
	"time"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

// Snapshot is the state of a manager at one moment.
type Snapshot struct {
	Self        string
	Connections []ConnectionSnapshot // by name
	Handlers    []HandlerSnapshot    // by id
}

// ConnectionSnapshot is the state of a connection, with what runs on it.
type ConnectionSnapshot struct {
	Name      string
	State     State
	Dialed    bool          // by this side
	Since     time.Time     // of the present connection
	RTT       time.Duration // the last that was measured
	Opened    uint64        // how often a connection was made
	LastError error         // why there is no connection
	Active    []Activity
	Traffic   Traffic
}

// Activity is a call or a stream that runs.
type Activity struct {
	Handler  HandlerID
	Name     string // of the handler, if it is registered here
	Outgoing bool   // issued here
	Stream   bool
	Since    time.Time
	Canceled bool // given up, and not yet ended on the other side
}

// HandlerSnapshot has the counters of a handler.
type HandlerSnapshot struct {
	ID         HandlerID
	Subroute   string
	Name       string
	Stream     bool
	Running    int
	Waiting    int
	Started    uint64
	Failed     uint64 // of Started: that returned an error
	Panicked   uint64 // of Failed
	Canceled   uint64 // of Started: whose result nobody waited for any more
	Overloaded uint64 // answered at once
	BytesIn    uint64
	BytesOut   uint64
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
