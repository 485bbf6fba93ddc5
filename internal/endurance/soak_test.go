package endurance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// soakVariable says how long TestSoak_… runs; ci/soak.sh sets it.
const soakVariable = "RATMOM_SOAK"

const (
	soakSmall = 3000
	soakBig   = 1 << 20
)

// soak is a mixed load on one client per mode.
type soak struct {
	targets []soakTarget
	counts  [len(soakKinds)]atomic.Int64
	// baseline is what there was at rest after the warm-up.
	baseline soakFigures
}

type soakTarget struct {
	mode   testserver.Mode
	server *testserver.Server
	client *ratmom.Client
}

// soakKinds are the ways a request is made, each as often as the others.
var soakKinds = [...]struct {
	name string
	run  func(s soakTarget, ctx context.Context, random *rand.Rand) error
}{
	{"GET", func(s soakTarget, ctx context.Context, _ *rand.Rand) error {
		return s.expect(ctx, "GET", "/small", nil, soakSmall)
	}},
	{"big GET", func(s soakTarget, ctx context.Context, _ *rand.Rand) error {
		return s.expect(ctx, "GET", "/big", nil, soakBig)
	}},
	{"POST", func(s soakTarget, ctx context.Context, random *rand.Rand) error {
		n := random.Int64N(200_000)
		return s.expect(ctx, "POST", "/echo", testserver.Pattern(n), n)
	}},
	{"POST of unknown length", func(s soakTarget, ctx context.Context, random *rand.Rand) error {
		n := 1 + random.Int64N(200_000)
		return s.expect(ctx, "POST", "/echo", io.NopCloser(testserver.Pattern(n)), n)
	}},
	{"redirect", func(s soakTarget, ctx context.Context, _ *rand.Rand) error {
		return s.expect(ctx, "GET", "/redirect", nil, soakSmall)
	}},
	{"slow reader", soakTarget.slowly},
	{"early close", soakTarget.early},
	{"cancel", soakTarget.cancel},
	{"cancel of a silent server", soakTarget.silent},
	{"idle connections closed", func(s soakTarget, ctx context.Context, random *rand.Rand) error {
		if random.IntN(10) == 0 {
			s.client.CloseIdleConnections()
		}
		return s.expect(ctx, "GET", "/small", nil, soakSmall)
	}},
}

func (s soakTarget) send(ctx context.Context, method, path string, body io.Reader) (*ratmom.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.server.URL+path, body)
	if err != nil {
		return nil, err
	}
	return s.client.Send(req)
}

// expect wants a Pattern of n bytes.
func (s soakTarget) expect(ctx context.Context, method, path string, body io.Reader, n int64) error {
	resp, err := s.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := testserver.CheckPattern(resp.Body)
	if err == nil && got != n {
		err = fmt.Errorf("%d bytes instead of %d, status %s", got, n, resp.Status)
	}
	return err
}

func (s soakTarget) slowly(ctx context.Context, _ *rand.Rand) error {
	resp, err := s.send(ctx, "GET", "/big", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := sip(resp.Body, soakBig/2, 64<<10, 5*time.Millisecond); err != nil {
		return err
	}
	rest, err := io.Copy(io.Discard, resp.Body)
	if err == nil && rest != soakBig/2 {
		err = fmt.Errorf("%d bytes were left instead of %d", rest, soakBig/2)
	}
	return err
}

func (s soakTarget) early(ctx context.Context, random *rand.Rand) error {
	resp, err := s.send(ctx, "GET", "/big", nil)
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, resp.Body, random.Int64N(soakBig/2))
	return errors.Join(err, resp.Body.Close())
}

func (s soakTarget) cancel(ctx context.Context, random *rand.Rand) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(time.Duration(random.IntN(5000))*time.Microsecond, cancel)
	defer timer.Stop()
	err := s.expect(ctx, "GET", "/big", nil, soakBig)
	if errors.Is(err, ratmom.ErrCanceled) {
		return nil
	}
	return err
}

func (s soakTarget) silent(ctx context.Context, random *rand.Rand) error {
	req, err := http.NewRequestWithContext(ctx, "GET", s.server.URL+"/silent", nil)
	if err != nil {
		return err
	}
	f := s.client.SendAsync(req)
	timer := time.AfterFunc(time.Duration(random.IntN(5000))*time.Microsecond, f.Cancel)
	defer timer.Stop()
	if _, err = f.Result(); !errors.Is(err, ratmom.ErrCanceled) {
		return fmt.Errorf("not cancelled: %w", err)
	}
	return nil
}

func soakHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/small", testserver.Blob(soakSmall))
	mux.Handle("/big", testserver.Blob(soakBig))
	mux.Handle("/echo", testserver.Echo())
	mux.Handle("/redirect", http.RedirectHandler("/small", http.StatusFound))
	mux.Handle("/silent", testserver.Silence())
	return mux
}

// run puts the load on for d and returns when every request has ended.
func (s *soak) run(t *testing.T, d time.Duration) {
	t.Helper()
	end := time.Now().Add(d)
	var all sync.WaitGroup
	for _, target := range s.targets {
		for i := range 8 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
				for time.Now().Before(end) && !t.Failed() {
					kind := random.IntN(len(soakKinds))
					ctx, cancel := context.WithTimeout(context.Background(), 6*patience)
					if err := soakKinds[kind].run(target, ctx, random); err != nil {
						t.Errorf("%s, %s: %v", target.mode, soakKinds[kind].name, err)
					}
					cancel()
					s.counts[kind].Add(1)
				}
			})
		}
	}
	all.Wait()
}

// soakFigures are what must not grow.
type soakFigures struct {
	goroutines, files int
	heap, resident    int64
	c                 cgo.Counts
}

func (f soakFigures) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %.1f MiB of heap, %.1f MiB resident, in C %+v",
		f.goroutines, f.files, mib(f.heap), mib(f.resident), f.c)
}

// descriptors counts open files, and no more: testserver.FDs also says what they
// are, which takes seconds where thousands of connections have just been closed.
func descriptors(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(files) - 1 // the folder itself
}

// measure waits until the clients are at rest, with no connection left, and
// takes the figures.
func (s *soak) measure(t *testing.T) soakFigures {
	t.Helper()
	for _, target := range s.targets {
		require.True(t, waitUntil(patience, func() bool { return target.client.Stats().Requests == 0 }), target.mode)
		target.client.CloseIdleConnections()
		require.True(t, target.server.WaitClosed(patience), "%s: %d connections are left", target.mode, target.server.Open())
	}
	var figures soakFigures
	// What served the connections ends a little after them.
	waitUntil(time.Second, func() bool {
		figures.goroutines, figures.files = runtime.NumGoroutine(), descriptors(t)
		return figures.goroutines <= s.baseline.goroutines && figures.files <= s.baseline.files
	})
	cgo.Trim()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	figures.heap, figures.resident, figures.c = int64(m.HeapAlloc), testserver.RSS(t), cgo.CountAlive()
	return figures
}

// TestSoak_keeps_nothing_however_long_it_runs puts a mixed load on every mode
// for as long as RATMOM_SOAK says, and takes stock at rest after a warm-up and
// after each of five rounds.
func TestSoak_keeps_nothing_however_long_it_runs(t *testing.T) {
	value := os.Getenv(soakVariable)
	if value == "" {
		t.Skipf("runs as long as %s says: ci/soak.sh sets it", soakVariable)
	}
	d, err := time.ParseDuration(value)
	require.NoError(t, err, soakVariable)
	const rounds = 5
	round := d / (rounds + 1)
	var s soak
	for _, mode := range testserver.AllModes {
		server := testserver.Start(t, mode, soakHandler())
		client := clientFor(t, mode, server.CAFile, config.Agents(2))
		s.targets = append(s.targets, soakTarget{mode, server, client})
	}
	s.run(t, round) // what is pooled is there now
	first := s.measure(t)
	s.baseline = first
	t.Logf("after the warm-up: %v", first)
	var all []soakFigures
	for i := range rounds {
		if t.Failed() {
			return
		}
		s.run(t, round)
		all = append(all, s.measure(t))
		t.Logf("after round %d: %v", i+1, all[i])
	}
	for i := range soakKinds {
		t.Logf("%d × %s", s.counts[i].Load(), soakKinds[i].name)
		require.NotZero(t, s.counts[i].Load(), soakKinds[i].name)
	}
	last := all[rounds-1]
	require.LessOrEqual(t, last.goroutines, first.goroutines, "goroutines")
	// libcurl keeps a few, not always the same number: less than one per agent.
	require.LessOrEqual(t, last.files, first.files+int(last.c.Multis), "descriptors")
	require.LessOrEqual(t, last.c.Transfers, max(first.c.Transfers, 256), "not more than the pool keeps")
	require.Equal(t, first.c.Multis, last.c.Multis)
	require.Zero(t, last.c.ChunkBytes)
	// Memory varies from round to round; what leaks grows in each of them.
	requireNoTrend(t, "heap", all, func(f soakFigures) int64 { return f.heap })
	requireNoTrend(t, "resident", all, func(f soakFigures) int64 { return f.resident })
}

// soakAllowance is how much memory may come in a round without being a leak.
const soakAllowance = 1 << 20

// requireNoTrend fails the test if a figure grows from round to round.
func requireNoTrend(t *testing.T, name string, all []soakFigures, figure func(soakFigures) int64) {
	t.Helper()
	values := make([]int64, len(all))
	for i, f := range all {
		values[i] = figure(f)
	}
	require.Less(t, trend(values), int64(soakAllowance), "%s grows in every round: %d", name, values)
}

// trend is by how much the values grow in the middle one of all steps, 0 if not in
// each of them. What leaks grows as much in every round; what is only not yet as
// much as it will be (malloc's lists, thread by thread) grows in the first ones.
func trend(values []int64) int64 {
	var steps []int64
	for i := range values[1:] {
		steps = append(steps, values[i+1]-values[i])
	}
	slices.Sort(steps)
	if steps[0] <= 0 {
		return 0
	}
	return (steps[(len(steps)-1)/2] + steps[len(steps)/2]) / 2
}

func TestTrend_is_that_of_a_leak_not_of_a_pool_that_fills(t *testing.T) {
	const kib = 1 << 10
	for _, c := range []struct {
		name   string
		values []int64 // KiB
		want   int64
	}{
		{"a leak of 1.5 MiB a round", []int64{50_000, 51_600, 53_000, 54_500, 56_200}, 1550},
		{"a pool that fills", []int64{46_800, 49_300, 50_000, 50_900, 51_400}, 800},
		{"two rounds that grow", []int64{46_800, 49_300}, 2500},
		{"up and down", []int64{50_000, 55_000, 53_000, 58_000, 56_000}, 0},
		{"level", []int64{50_000, 50_000, 50_000}, 0},
	} {
		values := make([]int64, len(c.values))
		for i, v := range c.values {
			values[i] = v * kib
		}
		require.Equal(t, c.want*kib, trend(values), c.name)
	}
}
