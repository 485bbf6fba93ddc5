package peer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// hanging never answers.
func hanging(t *testing.T) *server {
	return plain(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
}

func TestPeer_leaves_an_endpoint_at_which_time_runs_out(t *testing.T) {
	const limit = 100 * time.Millisecond
	for name, do := range map[string]func(*Map, *http.Request) error{
		"that of the request": func(m *Map, req *http.Request) error {
			_, err := m.Do(req, Timeout(limit))
			return err
		},
		"that of its context": func(m *Map, req *http.Request) error {
			ctx, stop := context.WithTimeout(req.Context(), limit)
			defer stop()
			_, err := m.Do(req.WithContext(ctx))
			return err
		},
		"that of who waits, who cancels it then": func(m *Map, req *http.Request) error {
			ctx, stop := context.WithTimeout(req.Context(), limit)
			defer stop()
			r := m.Go(req)
			_, err := r.Wait(ctx)
			r.Cancel()
			return err
		},
		"that of a hedge": func(m *Map, req *http.Request) error {
			at := time.Now()
			_, err := m.Do(req, Retry(retry.Policy{Tries: 2, Hedge: retry.Hedge{After: 50 * time.Millisecond}}))
			if err == nil && time.Since(at) >= limit {
				err = errors.New("it has waited for one that does not answer")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad := hanging(t)
			m := openMap(t, among(t, bad, plain(t, nil), plain(t, nil), plain(t, nil)), Outliers(health.OutlierPolicy{Consecutive: -1}))
			failed := 0
			for range 100 {
				if do(m, request(t, http.MethodGet, "http://some.peer.invalid/")) != nil {
					failed++
				}
			}
			// Where nothing is learned it is 40. It is one or two unless the good ones are slow as well, on a busy machine.
			assert.LessOrEqual(t, failed, 15)
			assert.LessOrEqual(t, bad.hits.Load(), int64(15))
		})
	}
}

func TestOutliers_are_those_at_which_time_runs_out(t *testing.T) {
	bad := hanging(t)
	m := openMap(t, among(t, bad, plain(t, nil)), turns())
	for range 20 {
		_, err := m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"), Timeout(50*time.Millisecond))
		if err != nil {
			require.ErrorIs(t, err, ratmom.ErrTimeout)
		}
	}
	assert.EqualValues(t, health.DefaultConsecutive, bad.hits.Load())
}

// failing is a body that cannot be read.
type failing struct{ io.Reader }

var errBody = errors.New("the caller's own fault")

func (failing) Read([]byte) (int, error) { return 0, errBody }

func TestEndpoints_are_not_blamed_for_bodies_that_cannot_be_read(t *testing.T) {
	drain := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	m := openMap(t, among(t, plain(t, drain), plain(t, drain)))
	for range 20 {
		req := request(t, http.MethodPost, "http://some.peer.invalid/")
		req.Body = io.NopCloser(failing{})
		_, err := m.Do(req)
		require.ErrorIs(t, err, errBody)
	}
	p, err := m.Get("http://some.peer.invalid/")
	require.NoError(t, err)
	s := p.Snapshot(0)
	assert.Zero(t, s.Counters.Ejections)
	for _, e := range s.Endpoints {
		assert.Less(t, e.Latency, Seconds(1), "a penalty")
	}
}

func TestEndpoints_are_not_blamed_for_bodies_that_nobody_reads_to_their_end(t *testing.T) {
	long := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 4<<20)) }
	m := openMap(t, among(t, plain(t, long), plain(t, long)), turns(),
		Outliers(health.OutlierPolicy{Interval: 20 * time.Millisecond, FailureRate: 0.3, FailureRequests: 1}))
	p, err := m.Get("http://some.peer.invalid/")
	require.NoError(t, err)
	for range 60 {
		resp, err := m.RoundTrip(request(t, http.MethodGet, "http://some.peer.invalid/"))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	eventually(t, "all have ended", func() bool { return p.Snapshot(0).Running == 0 })
	p.decide(func(now time.Time) { p.s.tick(now.Add(time.Second)) })
	assert.Zero(t, p.Snapshot(0).Counters.Ejections)
}

func TestCancel_is_a_failure_of_the_endpoint_that_took_the_time(t *testing.T) {
	over := failure.New(failure.Timeout, "it is over")
	for name, c := range map[string]struct {
		waited, ran time.Duration
		why         error
		once, head  bool
		failed      bool
	}{
		"the time is over":                       {ran: time.Second, why: over, failed: true},
		"the most of it went by in the queue":    {waited: time.Second, ran: 900 * time.Millisecond, why: over},
		"less of it did":                         {waited: time.Second, ran: 1100 * time.Millisecond, why: over, failed: true},
		"the caller does not want it any more":   {ran: time.Second, why: errCanceled},
		"it may be the caller's body that waits": {ran: time.Second, why: over, once: true},
		"the head was there":                     {ran: time.Second, why: over, head: true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := new(noted)
			s := newScheduler(limits{maxLinks: 1, maxStreams: 1, maxQueue: 10, maxAttempts: 8}, first{}, tr)
			s.breaker.Limits = health.Limits{Links: -1, Pending: -1, Requests: -1, Retries: -1}
			s.outliers.Policy.Consecutive = 1
			now := time.Unix(100, 0)
			tg := &tag{born: now, tries: tries{ask: retry.Request{Method: "GET", Replayable: !c.once}}}
			s.submit(tg, now)
			now = now.Add(c.waited)
			s.update([]Address{{Addr: "a:1"}, {Addr: "b:1"}}, now)
			require.Len(t, tr.runs, 1)
			e := tr.runs[0].link.ep
			s.up(tr.runs[0].link, now)
			if c.head {
				require.True(t, s.head(tr.runs[0], false, 200, nil, now))
			}
			now = now.Add(c.ran)
			s.cancel(tg, c.why, now)
			require.NotNil(t, tr.end)
			assert.Equal(t, c.failed, e.ejected)
			if !c.head {
				assert.GreaterOrEqual(t, e.Latency.At(now), c.ran, "that long it has taken at least")
			}
			assert.Zero(t, e.Waiting)
		})
	}
}
