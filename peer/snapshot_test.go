package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/peer/health"
)

func TestSnapshot_shows_each_request_where_it_is_with_secrets_masked(t *testing.T) {
	gate, here := make(chan struct{}), make(chan struct{}, 8)
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "<b>it</b>")
		here <- struct{}{}
		<-gate
	})
	m := openMap(t, MaxLinks(1))
	running := m.Go(request(t, http.MethodPut, s.URL+"/a b?token=geheim&geheim"))
	await(t, here)
	low := m.Go(request(t, http.MethodGet, s.URL))
	high := m.Go(request(t, http.MethodGet, s.URL+"/high"), Priority(7))

	eventually(t, "the link has its connection", func() bool { // of which the server may know before
		peers := m.Snapshot(0).Peers
		return len(peers) == 1 && len(peers[0].Links) == 1 && peers[0].Links[0].State == "busy"
	})
	shot := m.Snapshot(0)
	text, err := json.Marshal(shot)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "geheim")
	require.Len(t, shot.Peers, 1)
	p := shot.Peers[0]
	assert.Equal(t, s.URL, p.Name)
	require.Len(t, p.Links, 1)
	l := p.Links[0]
	assert.Equal(t, "busy", l.State)
	assert.Equal(t, s.Listener.Addr().String(), l.Remote)
	require.Len(t, l.Requests, 1)
	r := l.Requests[0]
	assert.Equal(t, "PUT /a%20b?token=xxxxx&xxxxx committed", r.Method+" "+r.Target+" "+r.State)
	assert.True(t, r.Revealed)
	assert.Less(t, r.Age.Duration(), patience)
	require.Len(t, p.Waiting, 2)
	assert.Equal(t, "/high", p.Waiting[0].Target)
	assert.Equal(t, 7, p.Waiting[0].Priority)
	assert.Equal(t, "/", p.Waiting[1].Target)
	assert.Equal(t, "queued", p.Waiting[1].State)
	assert.False(t, p.Waiting[1].Revealed)
	assert.Equal(t, [3]int{1, 1, 2}, [3]int{shot.Links, shot.Running, shot.Queued})

	close(gate)
	for _, r := range []*Request{running, low, high} {
		_, err := r.Result()
		require.NoError(t, err)
	}
	eventually(t, "all have ended", func() bool { return m.Counters().Answered == 3 })
	p = m.Find(ID{Scheme: "http", Host: "127.0.0.1", Port: s.URL[strings.LastIndexByte(s.URL, ':')+1:]}).Snapshot(0)
	assert.Equal(t, "<b>it</b>", p.Software)
	assert.Empty(t, p.Waiting)
	assert.Empty(t, p.Links[0].Requests)
	assert.Equal(t, 3, p.Links[0].Served)
}

func TestSnapshot_lists_so_many_of_20000_requests_and_counts_the_rest(t *testing.T) {
	gate := make(chan struct{})
	s := plain(t, func(http.ResponseWriter, *http.Request) { <-gate })
	m := openMap(t, MaxLinks(2))
	const all = 20_000
	requests := make([]*Request, 0, all)
	req := request(t, http.MethodGet, s.URL+"/"+strings.Repeat("x", 3000))
	for range all {
		requests = append(requests, m.Go(req))
	}
	shot := m.Snapshot(100)
	p := shot.Peers[0]
	listed := len(p.Waiting)
	for _, l := range p.Links {
		listed += len(l.Requests)
	}
	assert.Equal(t, 100, listed)
	assert.Equal(t, all-100, p.MoreRequests)
	assert.Equal(t, all, shot.Running+shot.Queued)
	assert.EqualValues(t, all, shot.Total.Requests)
	text, err := json.Marshal(shot)
	require.NoError(t, err)
	assert.Less(t, len(text), 100<<10)

	whole := time.Now()
	_ = m.Snapshot(0)
	t.Logf("a snapshot of %d requests took %v", all, time.Since(whole))
	close(gate)
	m.Close()
	for _, r := range requests {
		<-r.Done()
	}
	c := m.Counters()
	assert.EqualValues(t, all, c.Answered+c.Failed+c.Cancelled)
	assert.Equal(t, c.Requests, c.Revealed+c.Unrevealed)
}

func TestSnapshot_lists_so_many_peers_and_counts_the_rest(t *testing.T) {
	m := openMap(t)
	for i := range 30 {
		_, err := m.Get(fmt.Sprintf("http://peer%02d.invalid/", i))
		require.NoError(t, err)
	}
	shot := m.Snapshot(10)
	require.Len(t, shot.Peers, 10)
	assert.Equal(t, 20, shot.MorePeers)
	assert.Equal(t, "http://peer00.invalid:80", shot.Peers[0].Name)
}

func TestSnapshot_can_be_taken_at_any_moment(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = m.Snapshot(0)
			_ = m.Counters()
		}
	}()
	for i := range 300 {
		req := request(t, http.MethodGet, s.URL+"/?a=b")
		r := m.Go(req)
		if i%3 == 0 {
			r.Cancel()
		}
		if _, err := r.Result(); err == nil {
			req.URL.Path, req.Method = "/mine", "PUT" // it is the caller's again
		}
	}
	stop()
	await(t, done)
}

func TestCounters_tell_how_requests_and_links_have_ended(t *testing.T) {
	gate, here := make(chan struct{}), make(chan struct{}, 8)
	defer close(gate)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		here <- struct{}{}
		if r.URL.Path == "/wait" {
			<-gate
		}
	})
	m := openMap(t, MaxLinks(1))
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	await(t, here)
	m.CloseIdle()
	waits := m.Go(request(t, http.MethodGet, s.URL+"/wait"))
	await(t, here)
	queued := m.Go(request(t, http.MethodGet, s.URL))
	queued.Cancel()
	waits.Cancel()
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	_, err = pin.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	pin.Release()
	_, err = m.Do(request(t, http.MethodGet, "http://127.0.0.1:1/"))
	require.Error(t, err)
	_, err = m.Do(request(t, http.MethodGet, "http://127.0.0.1:1/"))
	require.ErrorIs(t, err, ErrUnavailable)

	eventually(t, "all links are closed", func() bool { return m.Snapshot(0).Links == 0 })
	c := m.Counters()
	assert.Equal(t, Counters{
		Requests: 6, Answered: 2, Cancelled: 2, Failed: 2, Refused: 1, Revealed: 3, Unrevealed: 3, Pins: 1,
		LinksOpened: 4, LinksConnected: 3,
		LinksClosed: map[string]uint64{"idle": 1, "down": 1, "released": 1, "failed": 1},
	}, c)
}

func TestCounters_tell_of_retries_ejections_and_lost_pins(t *testing.T) {
	good := plain(t, nil)
	bad := plain(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	m := openMap(t, among(t, good, bad), WithPolicy(func() Policy { return new(balance.RoundRobin) }))
	for range 2 * health.DefaultConsecutive {
		_, err := m.Do(request(t, http.MethodPost, "http://some.peer.invalid/"), AnyStatus())
		require.NoError(t, err)
	}
	eventually(t, "the endpoint is ejected", func() bool { return m.Counters().Ejections == 1 })
	eventually(t, "its link goes", func() bool { return m.Counters().LinksClosed["ejected"] == 1 })
	e := m.Snapshot(0).Peers[0].Endpoints
	assert.True(t, e[0].Ejected != e[1].Ejected)

	other := plain(t, nil)
	p, err := openMap(t).Get(other.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	_, err = pin.Do(request(t, http.MethodGet, other.URL))
	require.NoError(t, err)
	other.breakAll()
	eventually(t, "the pin is lost", func() bool { return p.Counters().PinsLost == 1 })
	pin.Release()
	assert.EqualValues(t, 1, p.Counters().PinsLost)
}
