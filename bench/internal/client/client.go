package client

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/ratmom/ratmom/bench/internal/result"
)

type row struct {
	url, warmURL     string
	requests, warmup int64
	upload           int64
	async            bool
	copyBuffer       int
	latencies        *result.Latencies
}

// Main runs the row that the command line describes and exits.
func Main(version string, open func(Options) (Peer, error)) {
	if err := run(version, open); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(version string, open func(Options) (Peer, error)) error {
	var (
		o           Options
		r           row
		profile     string
		cold, watch bool
	)
	flag.StringVar(&r.url, "url", "", "what to fetch")
	flag.StringVar(&r.warmURL, "warm-url", "", "what to fetch while warming up (default: the same)")
	flag.Int64Var(&r.requests, "requests", 1, "how many requests to measure")
	flag.Int64Var(&r.warmup, "warmup", 0, "how many requests to make before")
	flag.Int64Var(&r.upload, "upload", 0, "send a body of so many bytes with each request (PUT)")
	flag.BoolVar(&r.async, "async", false, "start requests without a goroutine each, where the peer can")
	flag.IntVar(&r.copyBuffer, "copy-buffer", 0, "read bodies into a buffer of this size (default: io.Copy to io.Discard)")
	flag.IntVar(&o.InFlight, "inflight", 1, "how many requests to run at once")
	flag.StringVar(&o.CAFile, "ca", "", "certificate authority to trust")
	flag.BoolVar(&o.HTTP2, "http2", false, "HTTP/2 over TLS")
	flag.BoolVar(&o.HTTP3, "http3", false, "HTTP/3")
	flag.BoolVar(&o.Fresh, "fresh", false, "a new connection for each request")
	flag.BoolVar(&o.Stream, "stream", false, "bodies are too large to be held whole")
	flag.BoolVar(&o.FewConns, "few-conns", false, "limit HTTP/2 connections to what the requests in flight need")
	flag.IntVar(&o.Agents, "agents", 0, "how many agents the client has, if it has agents")
	flag.IntVar(&o.Buffer, "buffer", 0, "the peer's receive buffer, if it has such a setting")
	flag.BoolVar(&cold, "cold", false, "making the client belongs to what is measured")
	flag.BoolVar(&watch, "watch", false, "look ten times a second how many goroutines there are")
	flag.StringVar(&profile, "cpuprofile", "", "write a CPU profile of the measured part")
	flag.Parse()
	if r.url == "" || r.requests < 1 || o.InFlight < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if r.warmURL == "" {
		r.warmURL = r.url
	}
	start := result.Now()
	peer, err := open(o)
	if err != nil {
		return err
	}
	warm := r
	warm.requests, warm.upload, warm.url, warm.latencies = r.warmup, 0, r.warmURL, new(result.Latencies)
	if _, err := warm.fetch(peer, o.InFlight); err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
	}
	res := result.Result{Requests: r.requests, Version: version}
	r.latencies = new(result.Latencies)
	goroutines := func() int { return 0 }
	if watch {
		goroutines = watchGoroutines()
	}
	before := mallocs()
	if !cold {
		start = result.Now()
	}
	res.Bytes, err = r.fetch(peer, o.InFlight)
	if err != nil {
		return err
	}
	res.Since(start)
	res.Mallocs = float64(mallocs() - before)
	res.Goroutine = goroutines()
	res.P50, res.P99 = r.latencies.Percentile(0.5), r.latencies.Percentile(0.99)
	pprof.StopCPUProfile()
	if res.PeakRSSKB, err = result.PeakRSSKB(); err != nil {
		return err
	}
	if err := peer.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// mallocs is how many objects Go has allocated so far.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
