// Command slow is a server that answers late: what many requests in flight wait
// for. It prints its address and ends when its standard input does.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

func main() {
	after := flag.Duration("after", 3*time.Second, "how long to wait with the answer")
	crowd := flag.Int64("crowd", 1, "wait with it until so many requests have come, too")
	patience := flag.Duration("patience", time.Minute, "but not longer than this")
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	var now, peak, come atomic.Int64
	crowded := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/peak", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, strconv.FormatInt(peak.Load(), 10))
	})
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
			io.WriteString(w, "late, but here: thirty-four bytes\n")
		case <-r.Context().Done():
		}
	})
	fmt.Println(l.Addr())
	go func() { log.Fatal(http.Serve(l, mux)) }()
	for in := bufio.NewReader(os.Stdin); ; {
		if _, err := in.ReadByte(); err != nil {
			return
		}
	}
}
