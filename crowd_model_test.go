package ratmom_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// moods is a server whose connections turn out differently: they are refused in the middle of
// the handshake, never get through it, speak HTTP/1.1 or HTTP/2, or end early.
type moods struct {
	*testserver.Server
	calm atomic.Bool // and those that are made from now on are good
}

func moody(t *testing.T, seed uint64) *moods {
	t.Helper()
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, 1))
	dice := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(n)
	}
	s := &moods{}
	most := []int{1, 3, 10, 100}[dice(4)]
	s.Server = testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		mood := dice(20)
		switch {
		case s.calm.Load():
		case mood == 0:
			panic(http.ErrAbortHandler)
		case mood == 1:
			w.Header().Set("Connection", "close")
		case mood == 2:
			<-r.Context().Done()
		case mood < 10:
			select {
			case <-time.After(time.Duration(dice(30)) * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	}, streams(most), testserver.WithTLSConfig(func(c *tls.Config) {
		h1, h2 := c.Clone(), c.Clone()
		h1.NextProtos, h2.NextProtos = []string{"http/1.1"}, []string{"h2"}
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if s.calm.Load() {
				return h2, nil
			}
			mood := dice(12)
			select {
			case <-time.After(time.Duration(dice(20)) * time.Millisecond):
			case <-hello.Context().Done():
			}
			switch {
			case mood == 0:
				return nil, errors.New("refused")
			case mood == 1:
				<-hello.Context().Done()
				return nil, errors.New("late")
			case mood == 2:
				_ = hello.Conn.Close()
				return nil, errors.New("closed")
			case mood < 5:
				return h1, nil
			}
			return h2, nil
		}
	}), testserver.WithServer(func(s *http.Server) { s.Protocols.SetHTTP1(true) }))
	return s
}

func TestModel_of_requests_that_share_connections_of_a_moody_server(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const limit = time.Second
	s := moody(t, seed)
	client := newTestClient(t, config.CAFile(s.CAFile))
	kins := [][]config.RequestOption{nil, {config.TCPNoDelay(false)}, {config.PipeWait(false)}, {config.PipeWait(true)}, {config.ConnectTimeout(100 * time.Millisecond)}}
	var all sync.WaitGroup
	var good, bad atomic.Int64
	for range 60 {
		for range r.IntN(60) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			switch r.IntN(4) {
			case 0:
				time.AfterFunc(time.Duration(r.IntN(60))*time.Millisecond, cancel)
			case 1:
				if r.IntN(4) == 0 {
					cancel()
				}
			}
			method := []string{"GET", "POST"}[r.IntN(2)]
			req, err := http.NewRequestWithContext(ctx, method, s.URL, nil)
			require.NoError(t, err)
			options := kins[r.IntN(len(kins))]
			f := client.SendAsync(req, options...)
			all.Go(func() {
				defer cancel()
				begin := time.Now()
				resp, err := f.Result()
				if err == nil {
					err = resp.Discard()
				}
				if err == nil {
					good.Add(1)
				} else {
					bad.Add(1)
				}
				if time.Since(begin) > limit+2*time.Second {
					assert.Fail(t, "late", "%v %v", time.Since(begin), err)
				}
			})
		}
		<-time.After(time.Duration(r.IntN(40)) * time.Millisecond)
	}
	all.Wait()
	s.calm.Store(true)
	t.Logf("%d good, %d bad, %d connections", good.Load(), bad.Load(), s.Accepted())
	for i, k := range kins {
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
			require.NoError(t, err)
			resp, err := client.SendAsync(req, k...).Result()
			if assert.NoError(t, err, fmt.Sprint(i)) {
				_ = resp.Discard()
			}
			cancel()
		}
	}
}
