package peer

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

// How a peer of TestMap_with_many_peers behaves.
const (
	wellBehaved = iota
	hangs
	resets
	unavailable
)

// kind is how the peer of a number behaves: one of twenty each badly, which is 5 %.
func kind(i int) int {
	switch i % 20 {
	case 3:
		return hangs
	case 5:
		return resets
	case 7:
		return unavailable
	}
	return wellBehaved
}

// crowd starts so many servers on addresses of their own, which count their goroutines.
func crowd(t *testing.T, peers int, goroutines *atomic.Int64) (urls []string) {
	t.Helper()
	for i := range peers {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.%d.%d:0", i/200+1, i%200+1))
		if err != nil {
			t.Skipf("no other loopback addresses here: %v", err)
		}
		urls = append(urls, "http://"+l.Addr().String())
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch kind(i) {
			case hangs:
				<-r.Context().Done()
			case resets:
				c, _, err := w.(http.Hijacker).Hijack()
				if err == nil {
					_ = c.(*net.TCPConn).SetLinger(0)
					_ = c.Close()
				}
			case unavailable:
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				_, _ = io.WriteString(w, "fine")
			}
		}), ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				goroutines.Add(2) // one more reads in the background
			case http.StateClosed, http.StateHijacked:
				goroutines.Add(-2)
			}
		}}
		go func() { _ = srv.Serve(l) }()
		t.Cleanup(func() { _ = srv.Close() })
	}
	return urls
}

func TestMap_with_many_peers_ends_every_request_as_it_should(t *testing.T) {
	peers, each := 200, 100
	if testing.Short() {
		peers = 20
	}
	var goroutines atomic.Int64 // of the servers
	urls := crowd(t, peers, &goroutines)
	m := openMap(t)
	before := runtime.NumGoroutine()
	rs := make([]*Request, 0, peers*each)
	at := time.Now()
	for range each {
		for i := range peers {
			rs = append(rs, m.Go(request(t, http.MethodPost, urls[i]), Timeout(2*time.Minute)))
		}
	}
	t.Logf("handed over in %v", time.Since(at))
	assert.Less(t, runtime.NumGoroutine()-before-int(goroutines.Load()), 64, "no goroutine each")
	for i, r := range rs {
		k := kind(i % peers)
		if k == hangs {
			continue
		}
		_, err := r.Result()
		switch k {
		case wellBehaved:
			require.NoError(t, err)
		case resets:
			require.Error(t, err)
			require.NotErrorIs(t, err, ratmom.ErrTimeout)
		case unavailable:
			var se *StatusError
			require.ErrorAs(t, err, &se)
			require.Equal(t, 503, se.Result.Status)
		}
	}
	t.Logf("the good ones ended in %v", time.Since(at))
	for i, r := range rs {
		if kind(i%peers) == hangs {
			select {
			case <-r.Done():
				t.Fatal("nobody answered it")
			default:
			}
			r.Cancel()
			_, err := r.Result()
			require.ErrorIs(t, err, ratmom.ErrCanceled)
		}
	}
}
