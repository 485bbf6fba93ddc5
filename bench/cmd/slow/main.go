// Command slow is a server that answers late: what many requests in flight wait for.
// At its end it prints how many have waited at once.
package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/bench/internal/serve"
)

func main() {
	var f serve.Flags
	f.Register()
	after := flag.Duration("after", time.Second, "how long to wait with the answer")
	crowd := flag.Int64("crowd", 1, "wait with it until so many requests have come, too")
	patience := flag.Duration("patience", time.Minute, "but not longer than this")
	flag.Parse()
	var now, peak, come atomic.Int64
	crowded := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, serve.Small) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
		}
		if come.Add(1) == *crowd {
			close(crowded)
		}
		early := time.After(*after)
		select {
		case <-crowded:
		case <-time.After(*patience):
		case <-r.Context().Done():
			return
		}
		select {
		case <-early:
			io.WriteString(w, serve.Small)
		case <-r.Context().Done():
		}
	})
	f.HTTP(mux)
	fmt.Println(peak.Load())
}
