package peer

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/config"
)

// openOver is openMap over a client with so many agents.
func openOver(t *testing.T, agents int, opts ...Option) *Map {
	t.Helper()
	client, err := ratmom.New(config.Proxy(""), config.Agents(agents))
	require.NoError(t, err)
	m, err := Open(client, opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		m.Close()
		assert.NoError(t, client.Close())
	})
	return m
}

// agentsOf are those that a peer's links are on, with how many.
func agentsOf(p *Peer) map[*agent.Handle]int {
	n := make(map[*agent.Handle]int)
	p.look(func(time.Time) {
		for _, l := range p.s.links {
			n[l.wire.agent]++
		}
	})
	return n
}

func overAgents(t *testing.T, test func(t *testing.T, agents int)) {
	for _, n := range []int{2, 4} {
		t.Run(strconv.Itoa(n), func(t *testing.T) { test(t, n) })
	}
}

func TestAgents_carry_the_links_of_one_peer_within_its_limits(t *testing.T) {
	overAgents(t, func(t *testing.T, agents int) {
		const links = 8
		var running, most atomic.Int64
		full, gate := make(chan struct{}), make(chan struct{})
		s := plain(t, func(http.ResponseWriter, *http.Request) {
			n := running.Add(1)
			defer running.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			if n == links {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			<-gate
		})
		m := openOver(t, agents, MaxLinks(links), StealAfter(time.Minute), StallAfter(0))
		var rs []*Request
		for range 400 {
			rs = append(rs, m.Go(request(t, http.MethodPost, s.URL)))
		}
		await(t, full)
		p, err := m.Get(s.URL)
		require.NoError(t, err)
		on := agentsOf(p)
		assert.Len(t, on, agents)
		for _, n := range on {
			assert.Equal(t, links/agents, n)
		}
		assert.Equal(t, 400-links, p.Snapshot(0).Queued)
		close(gate)
		for _, r := range rs {
			_, err := r.Result()
			require.NoError(t, err)
		}
		assert.EqualValues(t, 400, s.hits.Load(), "each was sent once")
		assert.EqualValues(t, links, s.conns.Load())
		assert.EqualValues(t, links, most.Load())
	})
}

func TestAgents_keep_each_pin_on_one_connection(t *testing.T) {
	overAgents(t, func(t *testing.T, agents int) {
		s := plain(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) })
		m := openOver(t, agents)
		p, err := m.Get(s.URL)
		require.NoError(t, err)
		var owners sync.Map
		var all sync.WaitGroup
		for range 40 {
			pin, err := p.Pin()
			require.NoError(t, err)
			defer pin.Release()
			all.Go(func() {
				var rs []*Request
				for range 10 {
					rs = append(rs, pin.Go(request(t, http.MethodPost, s.URL)))
				}
				at := ""
				for _, r := range rs {
					res, err := r.Result()
					if !assert.NoError(t, err) {
						return
					}
					if at == "" {
						at = string(res.Content)
						_, taken := owners.LoadOrStore(at, true)
						assert.False(t, taken, "another owner's")
					}
					assert.Equal(t, at, string(res.Content))
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 40, s.conns.Load())
		for _, n := range agentsOf(p) {
			assert.Equal(t, 40/agents, n)
		}
	})
}

// inTurn picks these, and then the last that is there.
type inTurn struct{ picks []int }

func (p *inTurn) Pick(eps []*Endpoint, _ Key, _ time.Time) int {
	at := len(eps) - 1
	if len(p.picks) > 0 {
		at, p.picks = p.picks[0], p.picks[1:]
	}
	return at
}

func TestAgents_pass_on_what_a_link_that_ends_has_not_sent(t *testing.T) {
	overAgents(t, func(t *testing.T, agents int) {
		gate, began := make(chan struct{}), make(chan struct{}, 1)
		s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				began <- struct{}{}
				<-gate
			}
		})
		s.StartTLS()
		mute, err := net.Listen("tcp", "127.0.0.1:0") // and no handshake
		require.NoError(t, err)
		defer mute.Close()
		m := openOver(t, agents, trusting(), MaxLinks(1), StallAfter(0), StealAfter(time.Minute),
			WithPolicy(func() Policy { return &inTurn{[]int{0}} }),
			WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
				return []Address{{Addr: s.Listener.Addr().String()}, {Addr: mute.Addr().String()}}, 0, nil
			})))
		const url = "https://example.com/"
		wait := m.Go(request(t, http.MethodGet, url+"wait"))
		await(t, began)
		moved := m.Go(request(t, http.MethodPost, url))
		conn, err := mute.Accept()
		require.NoError(t, err)
		p, err := m.Get(url)
		require.NoError(t, err)
		assert.Len(t, agentsOf(p), 2, "each link is on an agent of its own")
		require.NoError(t, conn.Close())
		eventually(t, "it waits for the other link", func() bool { return len(agentsOf(p)) == 1 && p.Snapshot(0).Queued == 1 })
		assert.False(t, moved.Revealed())
		close(gate)
		for _, r := range []*Request{wait, moved} {
			_, err := r.Result()
			require.NoError(t, err)
		}
		assert.EqualValues(t, 2, s.hits.Load())
		assert.EqualValues(t, 1, s.conns.Load())
	})
}

func TestAgents_steal_from_one_another(t *testing.T) {
	overAgents(t, func(t *testing.T, agents int) {
		gate, began := make(chan struct{}), make(chan struct{}, 1)
		s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				began <- struct{}{}
				<-gate
			}
		})
		s.StartTLS()
		mute, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer mute.Close()
		m := openOver(t, agents, trusting(), MaxLinks(1), StallAfter(0), StealAfter(time.Millisecond),
			WithPolicy(func() Policy { return &inTurn{[]int{0}} }),
			WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
				return []Address{{Addr: s.Listener.Addr().String()}, {Addr: mute.Addr().String()}}, 0, nil
			})))
		const url = "https://example.com/"
		wait := m.Go(request(t, http.MethodGet, url+"wait"))
		await(t, began)
		moved := m.Go(request(t, http.MethodPost, url))
		_, err = mute.Accept()
		require.NoError(t, err)
		p, err := m.Get(url)
		require.NoError(t, err)
		assert.Len(t, agentsOf(p), 2)
		<-time.After(2 * time.Millisecond) // past StealAfter
		close(gate)
		for _, r := range []*Request{wait, moved} {
			_, err := r.Result()
			require.NoError(t, err)
		}
		assert.EqualValues(t, 1, s.conns.Load())
	})
}
