package server

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

const (
	killedClient = "RATMOM_TEST_KILLED_CLIENT" // the address to ask; makes the test program a client
	killedConns  = 100                         // of one client
)

// askUntilKilled keeps many connections busy, each in a way of its own.
func askUntilKilled(addr string) {
	for i := range killedConns {
		go func() {
			for {
				askOne(addr, i)
			}
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func askOne(addr string, way int) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer func() { _ = nc.Close() }()
	switch way % 6 {
	case 0: // half a head
		_, _ = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a")
	case 1: // half a body
		_, _ = io.WriteString(nc, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
	case 2: // a full pipeline that waits
		_, _ = io.WriteString(nc, strings.Repeat("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", 20))
	case 3: // an answer that nobody reads
		_, _ = io.WriteString(nc, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
		select {}
	case 4: // idle
	default: // one request after the other
		for r := bufio.NewReader(nc); ; {
			_, _ = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	_, _ = io.Copy(io.Discard, nc)
}

// Clients are killed at any moment, with what their connections had under way. A child has a hundred.
func TestServer_keeps_nothing_of_clients_that_are_killed(t *testing.T) {
	kills := 110
	if testing.Short() {
		kills = 10
	}
	inventory := testserver.TakeInventory()
	var came, dead atomic.Int64
	page := strings.Repeat("a line of an answer without an end\n", 1000)
	t.Run("killed", func(t *testing.T) {
		addr := start(t, &Server{
			Pipeline: 3,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/wait":
					<-r.Context().Done()
				case "/endless":
					for r.Context().Err() == nil {
						if _, err := io.WriteString(w, page); err != nil {
							return
						}
					}
				default:
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = fmt.Fprint(w, "x")
				}
			}),
			ConnState: func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					came.Add(1)
				}
			},
			StateChange: func(_ net.Conn, state State) {
				if state == Dead {
					dead.Add(1)
				}
			},
		})
		for n := range kills {
			before := came.Load()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), killedClient+"="+addr)
			stdin, err := cmd.StdinPipe() // it ends with us
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			// At random, but not before there is something to kill.
			least := before + rand.Int64N(killedConns) + 1
			require.Eventually(t, func() bool { return came.Load() >= least }, wait, time.Millisecond, "kill %d", n)
			time.Sleep(rand.N(20 * time.Millisecond)) // for the chance, not to wait
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			_ = stdin.Close()
		}
		assert.Eventually(t, func() bool { return dead.Load() == came.Load() }, wait, time.Millisecond, "connections are left")
	})
	t.Logf("%d connections of %d clients", came.Load(), kills)
	inventory.Require(t, wait)
}
