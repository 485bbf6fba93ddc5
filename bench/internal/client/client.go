package client

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"

	"github.com/ratmom/ratmom/bench/internal/result"
)

type row struct {
	url, warmURL     string
	requests, warmup int64
	async            bool
	copyBuffer       int
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
		o       Options
		r       row
		profile string
	)
	flag.StringVar(&r.url, "url", "", "what to fetch")
	flag.StringVar(&r.warmURL, "warm-url", "", "what to fetch while warming up (default: the same)")
	flag.Int64Var(&r.requests, "requests", 1, "how many requests to measure")
	flag.Int64Var(&r.warmup, "warmup", 0, "how many requests to make before")
	flag.BoolVar(&r.async, "async", false, "start requests without a goroutine each, where the peer can")
	flag.IntVar(&r.copyBuffer, "copy-buffer", 0, "read bodies into a buffer of this size (default: io.Copy to io.Discard)")
	flag.IntVar(&o.InFlight, "inflight", 1, "how many requests to run at once")
	flag.StringVar(&o.CAFile, "ca", "", "certificate authority to trust")
	flag.BoolVar(&o.HTTP2, "http2", false, "HTTP/2 over TLS")
	flag.IntVar(&o.Buffer, "buffer", 0, "the peer's receive buffer, if it has such a setting")
	flag.StringVar(&profile, "cpuprofile", "", "write a CPU profile of the measured part")
	flag.Parse()
	if r.url == "" || r.requests < 1 || o.InFlight < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if r.warmURL == "" {
		r.warmURL = r.url
	}
	peer, err := open(o)
	if err != nil {
		return err
	}
	if _, err := r.fetch(peer, r.warmURL, r.warmup, o.InFlight); err != nil {
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
	start := result.Now()
	res.Bytes, err = r.fetch(peer, r.url, r.requests, o.InFlight)
	if err != nil {
		return err
	}
	res.Since(start)
	pprof.StopCPUProfile()
	if res.PeakRSSKB, err = result.PeakRSSKB(); err != nil {
		return err
	}
	if err := peer.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

func (r row) fetch(peer Peer, url string, n int64, inFlight int) (int64, error) {
	if r.async {
		s, ok := peer.(Starter)
		if !ok {
			return 0, fmt.Errorf("this peer needs a goroutine for each request")
		}
		return r.fetchAsync(s, url, n, inFlight)
	}
	var (
		started, bytes atomic.Int64
		failed         atomic.Pointer[error]
		wg             sync.WaitGroup
	)
	for range min(int64(inFlight), n) {
		wg.Go(func() {
			for started.Add(1) <= n && failed.Load() == nil {
				status, body, err := peer.Get(url)
				if err == nil {
					var got int64
					got, err = r.discard(status, body)
					bytes.Add(got)
				}
				if err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return bytes.Load(), nil
}

// fetchAsync starts as many as may run, waits for all of them, and so on.
func (r row) fetchAsync(peer Starter, url string, n int64, inFlight int) (int64, error) {
	window := make([]func() (int, io.ReadCloser, error), 0, inFlight)
	var started, ended, bytes int64
	for ended < n {
		for started < n && len(window) < inFlight {
			window = append(window, peer.Start(url))
			started++
		}
		for _, wait := range window {
			status, body, err := wait()
			if err != nil {
				return 0, err
			}
			got, err := r.discard(status, body)
			if err != nil {
				return 0, err
			}
			bytes += got
			ended++
		}
		window = window[:0]
	}
	return bytes, nil
}

// onlyReader hides what else a type can do, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

func (r row) discard(status int, body io.ReadCloser) (n int64, err error) {
	if r.copyBuffer > 0 {
		n, err = io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{body}, make([]byte, r.copyBuffer))
	} else {
		n, err = io.Copy(io.Discard, body)
	}
	if e := body.Close(); err == nil {
		err = e
	}
	if err == nil && status != 200 {
		err = fmt.Errorf("status %d", status)
	}
	return n, err
}
