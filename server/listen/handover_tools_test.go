package listen

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// Each runs for a while and tells how many requests were answered with what.
var tools = map[string]struct {
	debian string
	args   []string
	none   *regexp.Regexp // of what it says when none was lost
}{
	"wrk":    {"wrk", []string{"-t1", "-c8", "-d1s"}, regexp.MustCompile(`[1-9]\d* requests in`)},
	"h2load": {"nghttp2-client", []string{"--h1", "-c8", "-n5000"}, regexp.MustCompile(`5000 done, 5000 succeeded, 0 failed, 0 errored[^\n]*\nstatus codes: 5000 2xx`)},
}

// A reverse proxy keeps its connections to the server over the restarts, and its clients must notice none.
func TestRestart_loses_no_request_behind_proxies_under_the_usual_tools(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	fronts := map[string]func(backend string) string{
		// A machine with much to do pauses for longer than the old process waits: then only who may repeat
		// loses nothing, which nginx does by itself.
		"HAProxy": func(backend string) string {
			return testserver.HAProxy(t, backend+"\n\tretry-on conn-failure empty-response").URL
		},
		"nginx": func(backend string) string {
			return testserver.Nginx(t,
				testserver.NginxHTTP("upstream ours { server "+backend+"; keepalive 16; }"),
				testserver.NginxWith(`location = /x { proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection ""; }`),
			).URL
		},
	}
	for front, open := range fronts {
		for name, tool := range tools {
			t.Run(front+", "+name, func(t *testing.T) {
				program, err := exec.LookPath(name)
				if err != nil {
					testserver.Lacks(t, "%s is not installed (Debian: %s)", name, tool.debian)
				}
				g := start(t, "server", addrVariable+"=tcp 127.0.0.1:0", oursVariable+"=1")
				pid, addresses := g.ready(t)
				url := open(addresses[0]) + "/x"
				var out strings.Builder
				cmd := exec.Command(program, append(tool.args, url)...)
				cmd.Stdout, cmd.Stderr = &out, &out
				require.NoError(t, cmd.Start())
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				restarts := 0
				for running := true; running; restarts++ {
					require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
					pid = g.replaced(t, pid)
					select {
					case err := <-ended:
						require.NoError(t, err, "%s", out.String())
						running = false
					default:
					}
				}
				assert.Regexp(t, tool.none, out.String())
				assert.NotRegexp(t, `Non-2xx|Socket errors`, out.String())
				t.Logf("%d restarts", restarts)
			})
		}
	}
}
