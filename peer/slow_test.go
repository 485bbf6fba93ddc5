package peer

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/peer/balance"
)

// answering is how long a good endpoint of TestPeer_keeps_off_the_slow takes to answer.
const answering = 40 * time.Millisecond

// spread is the 99th percentile of the times of requests to some endpoints by a policy, and the share of the
// first one.
func spread(t *testing.T, servers []*server, policy func() Policy) (p99 time.Duration, share float64) {
	t.Helper()
	const clients, each = 24, 60
	var addrs []Address
	for _, s := range servers {
		addrs = append(addrs, Address{Addr: strings.TrimPrefix(s.URL, "http://")})
	}
	m := openMap(t, MaxLinks(8), WithPolicy(policy), WithResolver(ResolverFunc(
		func(context.Context, string, string, string) ([]Address, time.Duration, error) { return addrs, 0, nil })))
	var before int64
	times := make([]time.Duration, clients*each)
	var bad atomic.Int64
	for _, part := range []int{each / 2, each} { // the first round is for learning and does not count
		before = servers[0].hits.Load()
		var all sync.WaitGroup
		for c := range clients {
			all.Go(func() {
				for i := range part {
					at := time.Now()
					if _, err := m.Do(request(t, http.MethodGet, "http://ten.example/")); err != nil {
						bad.Add(1)
					}
					times[c*each+i] = time.Since(at)
				}
			})
		}
		all.Wait()
	}
	require.Zero(t, bad.Load())
	slices.Sort(times)
	return times[len(times)*99/100], float64(servers[0].hits.Load()-before) / float64(len(times))
}

func TestPeer_keeps_off_the_slow_one_of_ten_endpoints(t *testing.T) {
	heavy(t)
	servers := make([]*server, 10)
	for i := range servers {
		takes := answering
		if i == 0 {
			takes *= 10
		}
		servers[i] = plain(t, func(http.ResponseWriter, *http.Request) { time.Sleep(takes) })
	}
	peakEWMA := func() Policy { return new(balance.PeakEWMA) }
	var ratio, share float64
	for range 5 { // a machine that is busy with other things may spoil some
		good, _ := spread(t, servers[1:], peakEWMA)
		var all time.Duration
		all, share = spread(t, servers, peakEWMA)
		ratio = float64(all) / float64(good)
		t.Logf("peak EWMA: %v, of the good ones alone %v: %.2f times; the slow one had %.1f %%", all, good, ratio, 100*share)
		if ratio <= 1.5 && share < 0.01 {
			break
		}
	}
	assert.LessOrEqual(t, ratio, 1.5)
	assert.Less(t, share, 0.01)
	for name, policy := range map[string]func() Policy{
		"least requests": func() Policy { return new(balance.LeastRequests) },
		"round robin":    func() Policy { return new(balance.RoundRobin) },
	} {
		p99, share := spread(t, servers, policy)
		t.Logf("%s: %v; the slow one had %.1f %%", name, p99, 100*share)
	}
}
