package endurance

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// slack is the factor by which a limit may be missed on a busy machine before a
// test fails; what was measured is logged.
const slack = 10

// newClient makes a client that is closed when the test ends.
func newClient(t testing.TB, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	c, err := ratmom.New(append([]config.ClientOption{config.Proxy("")}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// clientFor makes a client that speaks to the server in its mode.
func clientFor(t testing.TB, mode testserver.Mode, caFile string, opts ...config.ClientOption) *ratmom.Client {
	t.Helper()
	return newClient(t, append(modeOptions(mode, caFile), opts...)...)
}

func modeOptions(mode testserver.Mode, caFile string) []config.ClientOption {
	var opts []config.ClientOption
	switch mode {
	case testserver.H1, testserver.HTTPS1:
		opts = append(opts, config.HTTPVersion(config.HTTP11))
	case testserver.H2:
		opts = append(opts, config.HTTPVersion(config.HTTP2))
	case testserver.H2C:
		opts = append(opts, config.HTTPVersion(config.HTTP2PriorKnowledge))
	}
	if caFile != "" {
		opts = append(opts, config.CAFile(caFile))
	}
	return opts
}

// request makes a request that dies with the test or with its patience.
func request(t testing.TB, ctx context.Context, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(t, err)
	return req
}

func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// heavy leaves a test out that takes long.
func heavy(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes long")
	}
}

// within fails the test if an operation that should take limit took slack times
// as long, and logs what it took.
func within(t testing.TB, what string, limit, took time.Duration) {
	t.Helper()
	t.Logf("%s: %v (to be within %v)", what, took.Round(10*time.Microsecond), limit)
	require.Less(t, took, limit*slack, what)
}

// often runs once several times. The median of each figure that it hands to took must be
// within its limit as [within] sees it: one try may meet a machine that is busy.
func often(t testing.TB, once func(took func(what string, limit, took time.Duration))) {
	t.Helper()
	const tries = 5
	all, limits := map[string][]time.Duration{}, map[string]time.Duration{}
	for range tries {
		once(func(what string, limit, took time.Duration) {
			t.Helper()
			t.Logf("%s: %v (to be within %v)", what, took.Round(10*time.Microsecond), limit)
			all[what], limits[what] = append(all[what], took), limit
		})
	}
	for what, took := range all {
		slices.Sort(took)
		require.Less(t, took[len(took)/2], limits[what]*slack, "%s: the median of %v", what, took)
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// waitUntil asks again and again until ok, and tells whether that came in time.
func waitUntil(d time.Duration, ok func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(d)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			return ok()
		}
	}
	return true
}
