package server

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// whims are what handlers do, in any order.
var whims = []func(w http.ResponseWriter, r *http.Request, left *sync.WaitGroup){
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) { _, _ = io.WriteString(w, "hello") },
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) {
		_, _ = w.Write(make([]byte, rand.IntN(100<<10)))
	},
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) { w.(http.Flusher).Flush() },
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) { w.WriteHeader(103 + 100*rand.IntN(3)) },
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) { w.Header().Set("Content-Length", "5") },
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) { w.Header().Set("Connection", "close") },
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) {
		w.Header().Set("Trailer", "A, Content-Length")
	},
	func(_ http.ResponseWriter, r *http.Request, _ *sync.WaitGroup) { _, _ = io.Copy(io.Discard, r.Body) },
	func(_ http.ResponseWriter, r *http.Request, _ *sync.WaitGroup) { _, _ = r.Body.Read(make([]byte, 3)) },
	func(_ http.ResponseWriter, r *http.Request, _ *sync.WaitGroup) { _ = r.Body.Close() },
	func(_ http.ResponseWriter, r *http.Request, left *sync.WaitGroup) {
		left.Go(func() { _, _ = io.Copy(io.Discard, r.Body) })
	},
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) {
		_ = http.NewResponseController(w).EnableFullDuplex()
	},
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) {
		_ = http.NewResponseController(w).SetReadDeadline(soon())
	},
	func(w http.ResponseWriter, _ *http.Request, _ *sync.WaitGroup) {
		_ = http.NewResponseController(w).SetWriteDeadline(soon())
	},
	func(w http.ResponseWriter, _ *http.Request, left *sync.WaitGroup) {
		if rand.IntN(3) > 0 {
			return
		}
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		left.Go(func() {
			_, _ = io.WriteString(nc, "mine")
			_ = nc.SetReadDeadline(soon())
			_, _ = io.Copy(io.Discard, rw)
			_ = nc.Close()
		})
	},
	func(_ http.ResponseWriter, r *http.Request, _ *sync.WaitGroup) {
		select {
		case <-r.Context().Done():
		case <-time.After(rand.N(3 * time.Millisecond)):
		}
	},
	func(http.ResponseWriter, *http.Request, *sync.WaitGroup) {
		if rand.IntN(5) == 0 {
			panic("a whim")
		}
	},
	func(http.ResponseWriter, *http.Request, *sync.WaitGroup) {
		if rand.IntN(5) == 0 {
			runtime.Goexit()
		}
	},
}

// soon may be now, or in the past.
func soon() time.Time { return time.Now().Add(rand.N(6*time.Millisecond) - 2*time.Millisecond) }

var wildRequests = []string{
	get1("/"), get1("/"), get1("/"), get1("/"),
	"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
	"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
	"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nhello",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello5\r\n",
	"GET / HTTP/1.1\r\n\r\n",
	"GET",
}

func oneWildConnection(addr string) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return // it is over
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(3 * wait))
	var all strings.Builder
	for range 1 + rand.IntN(8) {
		all.WriteString(wildRequests[rand.IntN(len(wildRequests))])
	}
	_, _ = io.WriteString(nc, all.String())
	switch rand.IntN(4) {
	case 0:
		_ = nc.(*net.TCPConn).SetLinger(0)
	case 1: // gone at once
	case 2:
		_, _ = io.CopyN(io.Discard, nc, 100)
	default:
		_ = nc.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, nc)
	}
}

// Whatever handlers and clients do at the same time, and whenever it ends: nobody is waited for, and nothing is left.
func TestServer_outlives_whatever_handlers_and_clients_do(t *testing.T) {
	inventory := testserver.TakeInventory()
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			var came, dead atomic.Int64
			var left, clients sync.WaitGroup
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s := &Server{
				Pipeline: rand.IntN(5), HalfClose: rand.IntN(2) == 0, ErrorLog: quiet,
				ReadHeaderTimeout: 100 * time.Millisecond, ReadTimeout: 300 * time.Millisecond, Limits: Limits{PipelineBuffer: 8 << 10},
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					left.Add(1) // Shutdown does not wait for who has hijacked
					defer left.Done()
					for range 1 + rand.IntN(6) {
						whims[rand.IntN(len(whims))](w, r, &left)
					}
				}),
				ConnState: func(_ net.Conn, state http.ConnState) {
					switch state {
					case http.StateNew:
						came.Add(1)
					case http.StateClosed, http.StateHijacked:
						dead.Add(1)
					default:
					}
				},
			}
			bare := l
			if rand.IntN(3) == 0 {
				bare = hiding{l}
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(bare) }()
			for range 20 {
				clients.Go(func() {
					for range 10 {
						oneWildConnection(l.Addr().String())
					}
				})
			}
			if rand.IntN(2) == 0 {
				clients.Wait()
			} else {
				time.Sleep(rand.N(50 * time.Millisecond)) // for the chance, not to wait
			}
			if rand.IntN(2) == 0 {
				_ = s.Close()
			}
			ctx, cancel := context.WithTimeout(context.Background(), 3*wait)
			defer cancel()
			require.NoError(t, s.Shutdown(ctx), "somebody is still at work")
			assert.ErrorIs(t, <-ended, http.ErrServerClosed)
			clients.Wait()
			left.Wait()
			assert.Equal(t, came.Load(), dead.Load())
		})
	}
	inventory.Require(t, wait)
}
