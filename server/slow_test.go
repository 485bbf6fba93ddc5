package server

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

const slowClients = 150

// Each is slowhttptest's way to hold a server's connections.
var slowModes = map[string][]string{
	"headers": {"-H", "-i", "1", "-x", "24"},
	"body":    {"-B", "-i", "1", "-s", "8192", "-x", "10"},
	"range":   {"-R", "-t", "HEAD", "-a", "10", "-b", "3000"},
	"read":    {"-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"},
}

// There are colours between the words.
var (
	available   = regexp.MustCompile(`service available:[^\n]*YES`)
	unavailable = regexp.MustCompile(`service available:[^\n]*NO`)
)

func TestServer_harms_nobody_when_others_are_slow(t *testing.T) {
	tool, err := exec.LookPath("slowhttptest")
	if err != nil {
		testserver.Lacks(t, "slowhttptest is not installed (Debian: slowhttptest)")
	}
	page := bytes.Repeat([]byte("a page that does not fit into the sockets' buffers\n"), 200_000)
	for mode, args := range slowModes {
		t.Run(mode, func(t *testing.T) {
			var came, dead atomic.Int32
			s := &Server{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					http.ServeContent(w, r, "page.txt", time.Time{}, bytes.NewReader(page))
				}),
				ReadHeaderTimeout: 2 * time.Second,
				Limits:            Limits{BodyRate: 1000, RateGrace: time.Second, WriteRate: 1000, WriteGrace: time.Second},
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
			}
			slots := strconv.Itoa(slowClients)
			url := "http://" + start(t, s) + "/"
			cmd := exec.CommandContext(t.Context(), tool, append(args, "-u", url, "-c", slots, "-r", slots, "-l", "6", "-p", "3")...)
			ended := make(chan error, 1)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			go func() { ended <- cmd.Run() }()

			// Others get on with it all the while.
			transport := &http.Transport{DisableKeepAlives: true}
			client := &http.Client{Transport: transport, Timeout: wait}
			slowest, answers := time.Duration(0), int32(0)
			for running := true; running; answers++ {
				begun := time.Now()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, strings.NewReader(""))
				require.NoError(t, err)
				req.Header.Set("Range", "bytes=0-9")
				resp, err := client.Do(req)
				require.NoError(t, err)
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, "a page tha", string(b))
				slowest = max(slowest, time.Since(begun))
				select {
				case err := <-ended:
					require.NoError(t, err, "%s", out.String())
					running = false
				default:
				}
			}
			assert.Less(t, slowest, 2*time.Second, "another client waited")
			assert.Regexp(t, available, out.String())
			assert.NotRegexp(t, unavailable, out.String())
			assert.GreaterOrEqual(t, came.Load(), answers+slowClients, "the slow ones have not come")
			assert.Eventually(t, func() bool { return dead.Load() == came.Load() }, wait, 10*time.Millisecond, "slow ones are still there")
			t.Logf("%d answers to others beside %d connections, the slowest in %v", answers, came.Load()-answers, slowest)
		})
	}
}
