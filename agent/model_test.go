package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/testserver"
)

// fate is what the reference allows a request to end with.
type fate struct {
	canceled bool // somebody gave it up
	never    bool // the server does not end its answer
	short    bool // the server breaks off
	size     int64
}

// wrong tells what an outcome has that the fate does not allow.
func (f fate) wrong(n int64, err error, closed bool) error {
	switch {
	case err == nil && (f.never || f.short):
		return errors.New("ended well, though the server did not")
	case err == nil && n != f.size:
		return fmt.Errorf("a good end after %d of %d bytes", n, f.size)
	case err == nil:
		return nil
	case errors.Is(err, failure.Canceled) && f.canceled,
		errors.Is(err, http.ErrBodyReadAfterClose) && f.canceled,
		errors.Is(err, failure.Closed) && closed,
		errors.Is(err, failure.Truncated) && f.short:
		return nil
	}
	return fmt.Errorf("not to be expected of %+v: %w", f, err)
}

// modelServer answers /SIZE with a pattern of that size, /never/SIZE without an
// end, /short/SIZE breaking off, /silent not at all.
func modelServer(t testing.TB) *testserver.Server {
	return testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
		var kind string
		var size int64
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &size); err != nil {
			_, _ = fmt.Sscanf(r.URL.Path, "/%5s/%d", &kind, &size)
		}
		if kind == "silen" {
			<-r.Context().Done()
			return
		}
		promised := size
		if kind != "" {
			promised++
		}
		w.Header().Set("Content-Length", strconv.FormatInt(promised, 10))
		w.(http.Flusher).Flush()
		_, _ = io.Copy(w, testserver.Pattern(size))
		w.(http.Flusher).Flush()
		switch kind {
		case "never":
			<-r.Context().Done()
		case "short":
			panic(http.ErrAbortHandler)
		}
	})
}

// TestModel_of_random_lives plays random requests, cancels, reads, pauses, closes
// and aborts against one agent and compares how each ended with what it was done
// to. The last act closes the agent in the middle of it all.
func TestModel_of_random_lives(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { playModel(t, seed) })
	}
}

func playModel(t *testing.T, seed uint64) {
	s := modelServer(t)
	h := startBare(t)
	p := plan(t)
	p.HighWater = 32 << 10
	var closed sync.WaitGroup
	closing := make(chan struct{})
	isClosed := func() bool {
		select {
		case <-closing:
			return true
		default:
			return false
		}
	}
	const players, lives = 16, 25
	var all sync.WaitGroup
	for player := range players {
		rng := rand.New(rand.NewPCG(seed, uint64(player)))
		all.Go(func() {
			for range lives {
				live(t, rng, h, func(ctx context.Context, url string) *call { return prepare(t, h, p, ctx, url) }, s.URL, isClosed)
			}
		})
	}
	if seed%2 == 0 {
		closed.Go(func() {
			<-time.After(time.Duration(seed%97) * time.Millisecond)
			close(closing)
			h.Close()
		})
	}
	all.Wait()
	closed.Wait()
	if seed%2 != 0 {
		require.Eventually(t, func() bool { return h.Load() == 0 && h.Stats().Requests == 0 }, patience, time.Millisecond)
		h.Close()
	}
	require.Zero(t, h.Load())
	requireEmpty(t, h.a)
}

// requireEmpty checks an agent that has ended.
func requireEmpty(t *testing.T, a *agent) {
	t.Helper()
	<-a.stopped
	require.Zero(t, a.live)
	require.Empty(t, a.mailbox)
	require.Empty(t, a.overflow)
	require.Zero(t, a.senders.Load())
}

func live(t *testing.T, rng *rand.Rand, h *Handle, prepare func(context.Context, string) *call, base string, isClosed func() bool) {
	sizes := []int64{0, 1, 1000, 5000, 70_000, 300_000}
	f := fate{size: sizes[rng.IntN(len(sizes))]}
	url := fmt.Sprintf("%s/%d", base, f.size)
	switch rng.IntN(6) {
	case 0:
		f.never, url = true, fmt.Sprintf("%s/never/%d", base, f.size)
	case 1:
		f.never, url = true, fmt.Sprintf("%s/silent/%d", base, f.size)
	case 2:
		f.short, url = true, fmt.Sprintf("%s/short/%d", base, f.size)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := prepare(ctx, url)
	if f.canceled = f.never || rng.IntN(3) == 0; f.canceled {
		switch after := time.Duration(rng.IntN(3000)) * time.Microsecond; rng.IntN(4) {
		case 0:
			cancel() // before it is handed over
		case 1:
			defer time.AfterFunc(after, cancel).Stop()
		case 2:
			defer time.AfterFunc(after, func() { c.Cancel(context.Canceled) }).Stop()
		default: // often, and from several sides
			for range 3 {
				defer time.AfterFunc(after, func() { c.Cancel(context.Canceled) }).Stop()
			}
			defer time.AfterFunc(after, cancel).Stop()
		}
	}
	h.Execute(c.Handler)
	err := c.wait(t)
	var n int64
	if err == nil {
		resp, rerr := c.Response()
		if rerr != nil {
			t.Error(rerr)
			return
		}
		switch rng.IntN(4) {
		case 0: // read all
			var w testserver.PatternWriter
			_, err = io.Copy(&w, resp.Body)
			n = w.N
		case 1: // slowly
			n, err = readSlowly(rng, resp.Body)
		case 2: // close in the middle, maybe beside a Read
			_, _ = io.CopyN(io.Discard, resp.Body, rng.Int64N(f.size+1)/2)
			if f.canceled = true; rng.IntN(2) == 0 {
				time.AfterFunc(time.Duration(rng.IntN(500))*time.Microsecond, func() { _ = resp.Body.Close() })
			} else {
				_ = resp.Body.Close()
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			return
		default: // leave it for a while
			<-time.After(time.Duration(rng.IntN(3)) * time.Millisecond)
			n, err = testserver.CheckPattern(resp.Body)
		}
		_ = resp.Body.Close()
	}
	if bad := f.wrong(n, err, isClosed()); bad != nil {
		t.Errorf("%s: %v", url, bad)
	}
}

func readSlowly(rng *rand.Rand, r io.Reader) (n int64, err error) {
	buf := make([]byte, 40_000)
	for {
		m, err := r.Read(buf[:1+rng.IntN(len(buf))])
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if rng.IntN(8) == 0 {
			<-time.After(time.Duration(rng.IntN(200)) * time.Microsecond)
		}
	}
}
