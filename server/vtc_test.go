package server

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// scripted answers what the scripts of varnishtest in testdata/vtc ask for.
func scripted() http.Handler {
	var mu sync.Mutex
	counts := map[string]int{}
	gone := make(chan string, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		counts[r.URL.Path]++
		mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		if len(b) > 0 {
			_, _ = fmt.Fprintf(w, "%s %s", r.URL.Path, b)
			return
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	mux.HandleFunc("/count/{name}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprint(w, counts["/"+r.PathValue("name")])
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(w, r.URL.Path)
	})
	mux.HandleFunc("/status/{status}", func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.PathValue("status"))
		w.WriteHeader(status)
	})
	mux.HandleFunc("/host", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	mux.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "hello")
	})
	mux.HandleFunc("/truncated", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/until-gone", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		gone <- r.URL.Path
	})
	mux.HandleFunc("/was-gone", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case path := <-gone:
			_, _ = fmt.Fprint(w, path, " was cancelled")
		case <-time.After(wait):
		}
	})
	mux.HandleFunc("/upgrade", func(w http.ResponseWriter, _ *http.Request) {
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = nc.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		_, _ = io.Copy(nc, rw)
	})
	return mux
}

func TestServer_passes_the_scripts_of_varnishtest(t *testing.T) {
	varnishtest, err := exec.LookPath("varnishtest")
	if err != nil {
		testserver.Lacks(t, "varnishtest is not installed (Debian: varnish)")
	}
	scripts, err := filepath.Glob("testdata/vtc/*.vtc")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		for _, pipeline := range []int{0, 5} {
			name := strings.TrimSuffix(filepath.Base(script), ".vtc")
			t.Run(fmt.Sprintf("%s, pipeline of %d", name, pipeline), func(t *testing.T) {
				addr := start(t, &Server{Handler: scripted(), Pipeline: pipeline})
				host, port, _ := strings.Cut(addr, ":")
				out, err := exec.CommandContext(t.Context(), varnishtest, "-t", "20", "-Daddr="+host+" "+port, script).CombinedOutput()
				require.NoError(t, err, "%s", out)
			})
		}
	}
}
