package peer

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// counted is the nth thing that one of several tells.
type counted struct {
	note
	who, n int
}

func (c *counted) heed(*Peer, time.Time) {}

func TestInbox_gives_all_that_was_put_in_the_order_of_each(t *testing.T) {
	const tellers, things = 4, 2000
	var b inbox
	var all sync.WaitGroup
	for who := range tellers {
		all.Go(func() {
			for n := range things {
				c := &counted{who: who, n: n}
				c.news = c
				b.put(&c.note)
			}
		})
	}
	var next [tellers]int
	for got := 0; got < tellers*things; {
		for n := b.take(); n != nil; n = n.before {
			c := n.news.(*counted)
			require.Equal(t, next[c.who], c.n)
			next[c.who]++
			got++
		}
	}
	all.Wait()
	assert.True(t, b.empty())
}

// stopping is a policy whose second pick waits.
type stopping struct {
	picks     int
	at, until chan struct{}
}

func (p *stopping) Pick([]*Endpoint, Key, time.Time) int {
	if p.picks++; p.picks == 2 {
		close(p.at)
		<-p.until
	}
	return 0
}

func TestAgent_does_not_wait_for_who_decides_for_a_peer(t *testing.T) {
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	p := &stopping{at: make(chan struct{}), until: make(chan struct{})}
	slow, err := Open(client, WithPolicy(func() Policy { return p }))
	require.NoError(t, err)
	quick, err := Open(client)
	require.NoError(t, err)
	defer func() {
		slow.Close()
		quick.Close()
		assert.NoError(t, client.Close())
	}()
	gate := make(chan struct{})
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			<-gate
		}
	})
	first := slow.Go(request(t, http.MethodPut, s.URL))
	second := make(chan *Request)
	go func() { second <- slow.Go(request(t, http.MethodPost, s.URL)) }()
	await(t, p.at)
	close(gate)
	eventually(t, "the answer is there", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, state := range s.open {
			if state == http.StateIdle {
				return true
			}
		}
		return false
	})
	for range 10 {
		_, err := quick.Do(request(t, http.MethodGet, s.URL))
		require.NoError(t, err, "of the same agent")
	}
	select {
	case <-first.Done():
		t.Error("it was told past the lock")
	default:
	}
	close(p.until)
	for _, r := range []*Request{first, await(t, second)} {
		_, err := r.Result()
		require.NoError(t, err)
	}
}
