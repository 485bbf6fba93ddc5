package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSnapshot_has_pipelines_with_depth_and_queue(t *testing.T) {
	s := newPrompted(t)
	m := openMap(t)
	l := openPipeline(t, m, s.URL, 3)
	require.Len(t, m.Snapshot(0).Peers, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reqs := gets(t, s.URL, "/first?token=geheim", "/gone?token=geheim", "/third")
	reqs[1] = reqs[1].WithContext(ctx)
	got := inOrderOf(t, l, reqs...)
	require.True(t, s.WaitRequests(3, patience))
	for i := range 2 {
		c := make(chan pipedAnswer, 1)
		got = append(got, c)
		req := request(t, http.MethodGet, fmt.Sprint(s.URL, "/late", i))
		go func() { c <- send(l, req) }()
		eventually(t, "it waits for a place", func() bool { return m.Snapshot(0).Peers[0].Pipelines[0].Queued > i })
	}
	cancel()
	require.Error(t, await(t, got[1]).err)

	shot := m.Snapshot(0)
	text, err := json.Marshal(shot)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "geheim")
	assert.Equal(t, 1, shot.Pipelines)
	assert.Zero(t, shot.Links)
	require.Len(t, shot.Peers[0].Pipelines, 1)
	p := shot.Peers[0].Pipelines[0]
	assert.Equal(t, [4]int{3, 3, 2, 0}, [4]int{p.Depth, p.Running, p.Queued, p.Served})
	assert.Equal(t, s.Addr, p.Remote)
	assert.Equal(t, s.Addr, p.Endpoint)
	assert.NotEmpty(t, p.Local)
	assert.Less(t, p.Age.Duration(), patience)
	var all []string
	for _, r := range p.Requests {
		all = append(all, fmt.Sprint(r.Method, " ", r.Target, " ", r.State, " ", r.Revealed))
		assert.Less(t, r.Age.Duration(), patience)
	}
	assert.Equal(t, []string{
		"GET /first?token=xxxxx committed true", "  cancelled true", "GET /third committed true",
		"GET /late0 queued false", "GET /late1 queued false",
	}, all)

	for _, most := range []int{1, 2, 4} {
		shot := m.Snapshot(most)
		require.Len(t, shot.Peers[0].Pipelines[0].Requests, most)
		assert.Equal(t, 5-most, shot.Peers[0].MoreRequests)
	}

	for i := range 5 {
		require.True(t, s.WaitRequests(max(i+1, 3), patience))
		s.send <- empty
	}
	for i, c := range got {
		if i != 1 {
			require.NoError(t, await(t, c).err)
		}
	}
	eventually(t, "all were served", func() bool {
		p := m.Snapshot(0).Peers[0].Pipelines
		return len(p) == 1 && p[0].Served == 5 && p[0].Running+p[0].Queued == 0
	})
	other := openPipeline(t, m, s.URL, 1)
	shot = m.Snapshot(1)
	assert.Equal(t, 2, shot.Pipelines)
	assert.Len(t, shot.Peers[0].Pipelines, 1)
	assert.Equal(t, 1, shot.Peers[0].MorePipelines)
	require.NoError(t, other.Close())
	require.NoError(t, l.Close())
	assert.Empty(t, m.Snapshot(0).Peers[0].Pipelines)
}

func TestSnapshot_shows_an_answer_on_a_pipeline_that_is_read(t *testing.T) {
	s := newPrompted(t)
	m := openMap(t)
	l := openPipeline(t, m, s.URL, 1)
	go s.answer(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
	resp, err := l.RoundTrip(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	p := m.Snapshot(0).Peers[0].Pipelines
	require.Len(t, p, 1)
	require.Len(t, p[0].Requests, 1)
	assert.Equal(t, "head", p[0].Requests[0].State)
	s.send <- "b"
	require.NoError(t, resp.Body.Close())
	assert.Less(t, time.Since(m.Snapshot(0).Time), patience)
}
