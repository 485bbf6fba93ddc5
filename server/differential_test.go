package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

const ranSecond = "the second one ran"

// twice tells whether the second request of a connection was run.
var twice = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.URL.Path == "/second" {
		_, _ = io.WriteString(w, ranSecond)
	}
})

// leniency is how far a server went with an odd request and a plain one behind it.
type leniency int

const (
	refused  leniency = iota // an error, or the end
	accepted                 // the odd one was answered
	wentOn                   // and the one behind it as well
)

func (l leniency) String() string {
	return []string{"refused", "accepted and closed", "accepted, went on"}[l]
}

var (
	statusLine = regexp.MustCompile(`HTTP/1\.[01] ([2-5])[0-9][0-9]`)
	lengthLine = regexp.MustCompile(`(?i)content-length:\s*\+?([0-9]{1,4})\r?\n`)
)

// probe is what a server makes of a request that has been sent; one that waits for more has accepted nothing.
func probe(addr, odd string) (leniency, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(2 * time.Second))
	// Who has refused may close before all is sent.
	_, _ = io.WriteString(nc, odd+"GET /second HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
	b, _ := io.ReadAll(nc)
	first := statusLine.FindSubmatch(b)
	switch {
	case first == nil || first[1][0] != '2':
		return refused, nil
	case strings.Contains(string(b), ranSecond):
		return wentOn, nil
	}
	return accepted, nil
}

// oddRequests are the cases of the strict profile, whole with their bodies.
func oddRequests() map[string]string {
	odd := map[string]string{}
	for _, c := range headCases {
		text := c.text
		if strings.Contains(strings.ToLower(text), "chunked") {
			text += "0\r\n\r\n"
		} else if m := lengthLine.FindStringSubmatch(text); m != nil {
			n, _ := strconv.Atoi(m[1])
			text += strings.Repeat("x", n)
		}
		odd[c.name] = text
	}
	for _, c := range bodyCases {
		odd["body: "+c.name] = "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + c.body
	}
	for name, field := range disguises() {
		if !strings.Contains(name, " at ") { // those are too many
			odd["disguised: "+name] = "POST / HTTP/1.1\r\n" + host + field + "\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
		}
	}
	return odd
}

// relay is a Squid before the tests' backend, as a reverse proxy.
func relay(t *testing.T, backend string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	_, port, _ := strings.Cut(backend, ":")
	testserver.SquidWith(t, "http_port "+addr+" accel vhost",
		"cache_peer 127.0.0.1 parent "+port+" 0 no-query originserver", "never_direct allow all")
	return addr
}

// What proxies in front let through, or programs behind take for another request, is how requests are
// smuggled: nobody in a row may be the one that is more lenient than all the others.
func TestServer_is_never_the_most_lenient(t *testing.T) {
	backend := httptest.NewUnstartedServer(twice)
	backend.Config.ErrorLog = quiet
	backend.Start()
	t.Cleanup(backend.Close)
	behind := backend.Listener.Addr().String()

	others := map[string]string{
		"nginx": strings.TrimPrefix(testserver.Nginx(t, testserver.NginxWith(
			`location / { return 200 ""; } location = /second { return 200 "`+ranSecond+`"; }`)).URL, "http://"),
		"HAProxy": strings.TrimPrefix(testserver.HAProxy(t, behind).URL, "http://"),
		"Squid":   relay(t, behind),
	}
	ours := start(t, &Server{Handler: twice, Pipeline: 5})
	for name, addr := range others {
		got, err := probe(addr, "GET / HTTP/1.1\r\n"+host+"\r\n")
		require.NoError(t, err, name)
		require.Equal(t, wentOn, got, "%s does not answer a plain request", name)
	}

	odd := oddRequests()
	require.Greater(t, len(odd), 120)
	var wg sync.WaitGroup
	var mu sync.Mutex
	sums := map[string]int{}
	slots := make(chan struct{}, 8)
	for name, text := range odd {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			mine, err := probe(ours, text)
			if !assert.NoError(t, err, name) {
				return
			}
			most, line := refused, ""
			for other, addr := range others {
				got, err := probe(addr, text)
				assert.NoError(t, err, "%s: %s", other, name)
				most = max(most, got)
				line += fmt.Sprintf(", %s %s", other, got)
				mu.Lock()
				sums[other] += int(got)
				mu.Unlock()
			}
			assert.LessOrEqual(t, mine, most, "%s: %s%s", name, mine, line)
			mu.Lock()
			defer mu.Unlock()
			sums["ours"] += int(mine)
		})
	}
	wg.Wait()
	t.Logf("leniency over %d requests, 2 for each that was accepted and followed: %v", len(odd), sums)
	for other := range others {
		assert.Less(t, sums["ours"], sums[other], "over all, %s is as strict", other)
	}
}
