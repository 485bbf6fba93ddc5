package server

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const idleServer = "RATMOM_IDLE_SERVER" // makes TestMain a server in a process of its own

// serveIdle tells of its own memory at /memory. What is measured must not share a process with the
// clients, nor with another server.
func serveIdle(kind string) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/memory" {
			echo(w, r)
			return
		}
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		_, _ = fmt.Fprint(w, m.HeapAlloc+m.StackInuse)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	switch kind {
	case "net/http":
		err = http.Serve(l, h)
	case "ours":
		err = (&Server{Handler: h}).Serve(l)
	case "ours, pipelining":
		err = (&Server{Handler: h, Pipeline: 15}).Serve(l)
	}
	panic(err)
}

func idleCost(t *testing.T, kind string) float64 {
	const n = 1000
	addr, _ := child(t, kind)
	asker := dial(t, addr)
	memory := func() (n float64) {
		asker.send(get1("/memory"))
		_, body := asker.answer("GET")
		_, err := fmt.Sscan(body, &n)
		require.NoError(t, err)
		return n
	}
	memory()
	before := memory()
	for range n {
		c := dial(t, addr)
		c.send(get1("/"))
		c.answer("GET")
	}
	return (memory() - before) / n
}

func TestServer_needs_half_of_what_net_http_needs_for_an_idle_connection(t *testing.T) {
	theirs := idleCost(t, "net/http")
	for _, kind := range []string{"ours", "ours, pipelining"} {
		ours := idleCost(t, kind)
		t.Logf("bytes per idle connection: net/http %.0f, %s %.0f (%.2f)", theirs, kind, ours, ours/theirs)
		assert.LessOrEqual(t, ours, theirs/2, kind)
	}
}
