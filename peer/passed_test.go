package peer

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueue_is_not_held_up_by_one_that_waits_for_another_endpoint(t *testing.T) {
	full := plain(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	m := openMap(t, MaxLinks(1), turns(), WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return []Address{{Addr: hostPort(t, full.URL)}, {Addr: addr}}, 0, nil
	})))
	const url = "http://some.peer.invalid/"
	running := m.Go(request(t, http.MethodGet, url))
	eventually(t, "one endpoint has no room", func() bool { return full.hits.Load() == 1 })
	waiting := m.Go(request(t, http.MethodGet, url))
	p, err := m.Get(url)
	require.NoError(t, err)
	eventually(t, "the other one was not there for it", func() bool { return p.Snapshot(0).Queued == 1 })

	l, err = net.Listen("tcp", addr)
	require.NoError(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Close() }()
	_, err = m.Do(request(t, http.MethodGet, url), Timeout(patience))
	require.NoError(t, err)
	assert.EqualValues(t, 1, full.hits.Load())
	waiting.Cancel()
	running.Cancel()
}
