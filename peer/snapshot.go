package peer

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
)

// DefaultSnapshot is how much of each kind a snapshot lists at the most.
const DefaultSnapshot = 1000

// Snapshot is what a map is doing. As JSON its fields are named as the tags say, and do not
// change. Ages are in seconds. Secrets are masked: userinfo of proxies, and the values in the
// queries of URLs. What servers say of themselves is in it as they said it.
type Snapshot struct {
	Time time.Time `json:"time"`
	// Total is the sum of the counters of all peers, listed or not.
	Total Counters `json:"total"`
	// Links, Running and Queued are sums of all peers, too: of links that are not closed, of requests on them, and of
	// requests that wait for one.
	Links   int `json:"links"`
	Running int `json:"running"`
	Queued  int `json:"queued"`
	// Pipelines is how many there are of all peers.
	Pipelines int `json:"pipelines"`
	// Peers are in the order of their names; there are MorePeers.
	Peers     []PeerSnapshot `json:"peers"`
	MorePeers int            `json:"more_peers"`
}

// PeerSnapshot is a peer, its endpoints, its links, its pipelines and its queue.
type PeerSnapshot struct {
	Name  string `json:"name"` // as ID.String has it
	Proxy string `json:"proxy,omitempty"`
	// Err is the failure for which the peer is left alone.
	Err         string  `json:"error,omitempty"`
	Software    string  `json:"software,omitempty"`
	Protocol    string  `json:"protocol,omitempty"`
	Fingerprint string  `json:"fingerprint,omitempty"`
	RTT         Seconds `json:"rtt_seconds"`
	MaxStreams  int     `json:"max_streams"`
	Pins        int     `json:"pins"` // that are held now
	Running     int     `json:"running"`
	// Endpoints, Links and Waiting are what is listed of each; there are More of them.
	Endpoints     []EndpointSnapshot `json:"endpoints"`
	MoreEndpoints int                `json:"more_endpoints"`
	Links         []LinkSnapshot     `json:"links"`
	MoreLinks     int                `json:"more_links"`
	// Pipelines count as links among what is listed, and for nothing else here.
	Pipelines     []PipelineSnapshot `json:"pipelines"`
	MorePipelines int                `json:"more_pipelines"`
	// Queued is how many requests wait for a link, listed or not, those of pins included. Listed are those that
	// are next, or nearly so if there are more.
	Queued  int               `json:"queued"`
	Waiting []RequestSnapshot `json:"waiting"`
	// MoreRequests were not listed, here or with their links.
	MoreRequests int      `json:"more_requests"`
	Counters     Counters `json:"counters"`
}

// EndpointSnapshot is an address of a peer.
type EndpointSnapshot struct {
	Address string `json:"address"` // empty: libcurl looks it up
	// Authority is who is asked for there, if not the peer.
	Authority string  `json:"authority,omitempty"`
	Zone      string  `json:"zone,omitempty"`
	Priority  int     `json:"priority"`
	Weight    float64 `json:"weight"`
	Ejected   bool    `json:"ejected"` // as an outlier
	// Check is what checks have found: up, down, unknown as long as none has ended; empty if there are none.
	// CheckError is why the last one has failed.
	Check      string `json:"check,omitempty"`
	CheckError string `json:"check_error,omitempty"`

	// Rests is for how long it has asked to be left alone; 0: it has not.
	Rests    Seconds `json:"rests_seconds"`
	Gone     bool    `json:"gone"` // the resolver names it no more
	InFlight int     `json:"in_flight"`
	Links    int     `json:"links"` // without pinned ones
	// Latency is the peak EWMA of the time to the head of a response.
	Latency Seconds `json:"latency_seconds"`
}

// LinkSnapshot is a connection.
type LinkSnapshot struct {
	ID       uint64 `json:"id"`
	State    string `json:"state"` // opening, ready, busy, draining
	Endpoint string `json:"endpoint,omitempty"`
	Local    string `json:"local,omitempty"`
	Remote   string `json:"remote,omitempty"`
	Pinned   bool   `json:"pinned"`
	// Limit is how many requests it takes at once, Served how many it was given.
	Limit    int               `json:"limit"`
	Served   int               `json:"served"`
	Running  int               `json:"running"`
	Age      Seconds           `json:"age_seconds"`
	Idle     Seconds           `json:"idle_seconds"` // since the last request left it; 0: one is on it
	Requests []RequestSnapshot `json:"requests"`
}

// RequestSnapshot is a request, queued or on its link.
type RequestSnapshot struct {
	// Method and Target are empty for what was cancelled and is drained.
	Method string `json:"method,omitempty"`
	Target string `json:"target,omitempty"` // path and query
	// State is queued, assigned, committed, head, or cancelled.
	State    string `json:"state"`
	Priority int    `json:"priority"`
	Retries  int    `json:"retries"`
	// Revealed tells that something of it may have left.
	Revealed bool    `json:"revealed"`
	Age      Seconds `json:"age_seconds"` // since it was submitted
}

// Seconds is a time in seconds.
type Seconds float64

// Duration is the same as a duration.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

func seconds(d time.Duration) Seconds { return Seconds(max(d, 0).Seconds()) }

// Snapshot tells what the map is doing: at most so many peers, and of all of them so many endpoints,
// links and requests; 0 is [DefaultSnapshot]. What is beyond is counted. One peer is locked at
// a time, for what is listed of it.
func (m *Map) Snapshot(most int) Snapshot {
	if most <= 0 {
		most = DefaultSnapshot
	}
	left := room{most, most, most}
	peers := m.sorted()
	s := Snapshot{Time: time.Now(), Peers: []PeerSnapshot{}}
	for i, p := range peers {
		r := left
		if i >= most {
			r = room{}
		}
		d := p.draw(&r)
		s.Total.Add(d.Counters)
		s.Links += len(d.Links) + d.MoreLinks
		s.Pipelines += len(d.Pipelines) + d.MorePipelines
		s.Running += d.Running
		s.Queued += d.Queued
		if i >= most {
			s.MorePeers++
			continue
		}
		left = r
		s.Peers = append(s.Peers, d)
	}
	return s
}

// Snapshot tells what the peer is doing; see [Map.Snapshot].
func (p *Peer) Snapshot(most int) PeerSnapshot {
	if most <= 0 {
		most = DefaultSnapshot
	}
	return p.draw(&room{most, most, most})
}

// sorted are the peers by name.
func (m *Map) sorted() []*Peer {
	var peers []*Peer
	m.ForEach(func(p *Peer) bool {
		peers = append(peers, p)
		return true
	})
	slices.SortFunc(peers, func(a, b *Peer) int {
		return cmp.Or(strings.Compare(a.id.Host, b.id.Host), strings.Compare(a.id.Port, b.id.Port),
			strings.Compare(a.id.Scheme, b.id.Scheme), strings.Compare(a.id.Profile, b.id.Profile))
	})
	return peers
}

// room is what a snapshot may still list.
type room struct{ endpoints, links, requests int }

// draw makes the snapshot: what it can of it without the lock.
func (p *Peer) draw(r *room) PeerSnapshot {
	d := PeerSnapshot{Name: p.id.String(), Proxy: failure.MaskText(p.id.Proxy)}
	var q sketch
	var now time.Time
	var err error
	var facts Facts
	var count counts
	var pipes []*pipe
	p.look(func(at time.Time) {
		now, err = at, p.faults.err(at)
		facts, count = *p.facts.Load(), p.s.count
		d.MaxStreams, d.Pins = p.s.streams, len(p.s.pins)
		p.s.sketch(&d, &q, r, at)
		pipes = p.sketchPipes(&d, r)
	})

	if err != nil {
		d.Err = err.Error()
	}
	d.Software, d.Protocol, d.Fingerprint, d.RTT = facts.Software, facts.Protocol, facts.Fingerprint, seconds(facts.RTT)
	d.Counters = count.public()
	q.finish(&d, now)
	d.Pipelines = make([]PipelineSnapshot, 0, len(pipes))
	for _, c := range pipes {
		c.draw(&d, r, now)
	}
	for i, id := range q.checks {
		if id != 0 {
			state, err := p.checker.State(id)
			d.Endpoints[i].Check = state.String()
			if err != nil {
				text := err.Error()
				d.Endpoints[i].CheckError = text[:min(len(text), maxFact)]
			}
		}
	}
	return d
}
