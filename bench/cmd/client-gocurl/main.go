// Command client-gocurl is go-curl as a peer of the benchmark: its multi handle
// driven by Perform and select, as its documentation shows. A set for select holds
// descriptors up to 1,023, which limits the requests in flight.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"

	curl "github.com/andelf/go-curl" //nolint:depguard // it is the peer

	"github.com/ratmom/ratmom/bench/internal/result"
)

type args struct {
	url, ca          string
	requests, warmup int
	inFlight, buffer int
	http2            bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var a args
	warm := ""
	flag.StringVar(&a.url, "url", "", "what to fetch")
	flag.StringVar(&warm, "warm-url", "", "what to fetch while warming up (default: the same)")
	flag.IntVar(&a.requests, "requests", 1, "how many requests to measure")
	flag.IntVar(&a.warmup, "warmup", 0, "how many requests to make before")
	flag.IntVar(&a.inFlight, "inflight", 1, "how many requests to run at once")
	flag.StringVar(&a.ca, "ca", "", "certificate authority to trust")
	flag.BoolVar(&a.http2, "http2", false, "HTTP/2 over TLS")
	flag.IntVar(&a.buffer, "buffer", 0, "libcurl's receive buffer")
	flag.Bool("stream", false, "means nothing here")
	flag.Parse()
	if warm == "" {
		warm = a.url
	}
	if err := curl.GlobalInit(curl.GLOBAL_ALL); err != nil {
		return err
	}
	l := newLoop(a)
	defer l.close()
	if err := l.fetch(warm, a.warmup); err != nil {
		return err
	}
	l.latencies, l.bytes = new(result.Latencies), 0
	res := result.Result{Requests: int64(a.requests), Version: "go-curl over " + curl.Version()}
	before := mallocs()
	start := result.Now()
	if err := l.fetch(a.url, a.requests); err != nil {
		return err
	}
	res.Since(start)
	res.Mallocs = float64(mallocs() - before)
	res.Bytes = l.bytes
	res.P50, res.P99 = l.latencies.Percentile(0.5), l.latencies.Percentile(0.99)
	var err error
	if res.PeakRSSKB, err = result.PeakRSSKB(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
