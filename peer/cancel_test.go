package peer

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

// hold has the workers of the map do nothing until resume is called.
func hold(t *testing.T, m *Map) (resume func()) {
	t.Helper()
	const workers = 4
	in, out := make(chan struct{}), make(chan struct{})
	for range workers {
		m.work.Submit(func() { in <- struct{}{}; <-out })
	}
	for range workers {
		await(t, in)
	}
	return func() { close(out) }
}

func TestCancel_gives_the_memory_back_of_a_response_that_has_come(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("content")) })
	m := openMap(t)
	resume := hold(t, m)
	buf := make([]byte, 100)
	r := m.Go(request(t, http.MethodGet, s.URL), Into(nil, buf), OnProgress(func(int64, int64) {}))
	eventually(t, "all of it is there", func() bool {
		r.c.mu.Lock()
		defer r.c.mu.Unlock()
		return r.c.ended
	})
	r.Cancel()
	resume()
	select {
	case <-r.Done():
	default:
		t.Error("it has not ended")
	}
	_, err := r.Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
	done := make(chan struct{})
	m.work.Submit(func() { close(done) })
	await(t, done)
	r.c.collecting.Lock()
	assert.Equal(t, make([]byte, 100), buf)
	r.c.collecting.Unlock()
}

func TestTimeout_may_be_over_before_the_request_is_placed(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	for range 300 {
		r := m.Go(request(t, http.MethodGet, s.URL), Timeout(time.Nanosecond))
		if _, err := r.Result(); err != nil {
			require.ErrorIs(t, err, ratmom.ErrTimeout)
		}
	}
}
