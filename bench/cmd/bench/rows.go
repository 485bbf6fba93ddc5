package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
)

// metric is the figure that a row compares.
type metric struct {
	name string
	of   func(result.Result) float64
}

var (
	cpuPerRequest = metric{"CPU µs/request", func(r result.Result) float64 { return r.CPU() * 1e6 / float64(r.Requests) }}
	cpuSeconds    = metric{"CPU s", result.Result.CPU}
	peakMemory    = metric{"peak MiB", func(r result.Result) float64 { return float64(r.PeakRSSKB) / 1024 }}
)

// peer is a program to measure and how to tell it what to do.
type peer struct {
	name    string
	program string   // in the directory of programs
	args    []string // its own
}

var (
	cPlain    = peer{"C plain", "cpeer", nil}
	cLazy     = peer{"C lazy", "cpeer", []string{"--lazy"}}
	netHTTP   = peer{"net/http", "client-nethttp", nil}
	netHTTPBy = peer{"net/http, 256K reads", "client-nethttp", []string{"--copy-buffer", "262144"}}
	ratmom    = peer{"ratmom", "client-ratmom", nil}
	async     = peer{"ratmom async", "client-ratmom", []string{"--async"}}
)

func cBuffer(kb int) peer {
	return peer{fmt.Sprintf("C lazy %dK", kb), "cpeer", []string{"--lazy", "--buffer", strconv.Itoa(kb << 10)}}
}

// row is one table: peers that do the same work.
type row struct {
	name, title string
	metric      metric
	peers       []peer
	// Ratios are given to these peers, and ratmom's must not exceed the bound.
	bounds []bound
	args   func(*nginx, sizes) []string
	slow   bool // the slow server instead of nginx
}

type bound struct {
	to   string
	most float64 // 0: none, the ratio is only shown
}

// sizes can be cut for a quick look.
type sizes struct {
	requests, inFlight int
	after              time.Duration
}

func rows() []row {
	bulk := []peer{netHTTP, netHTTPBy, cBuffer(16), cBuffer(64), cBuffer(256), cBuffer(512), ratmom}
	big := func(origin func(*nginx) string, more ...string) func(*nginx, sizes) []string {
		return func(n *nginx, _ sizes) []string {
			args := []string{
				"--url", origin(n) + "/big",
				"--warm-url", origin(n) + "/small", "--warmup", "1",
			}
			if len(more) > 0 {
				args = append(args, "--ca", n.ca())
			}
			return append(args, more[min(1, len(more)):]...)
		}
	}
	return []row{
		{
			name: "small", title: "Small GET, 34 bytes, HTTP/1.1 keep-alive, 64 in flight",
			metric: cpuPerRequest,
			peers:  []peer{cPlain, cLazy, netHTTP, ratmom},
			bounds: []bound{{cLazy.name, 1.20}, {netHTTP.name, 1.10}},
			args: func(n *nginx, s sizes) []string {
				return []string{
					"--url", n.plain + "/small", "--requests", strconv.Itoa(s.requests),
					"--warmup", "2000", "--inflight", "64",
				}
			},
		},
		{
			name: "big-h1", title: "1 GiB body, HTTP/1.1", metric: cpuSeconds,
			peers: bulk, bounds: []bound{{netHTTP.name, 0.85}, {netHTTPBy.name, 0}, {cBuffer(64).name, 0}},
			args: big(func(n *nginx) string { return n.plain }),
		},
		{
			name: "big-tls", title: "1 GiB body, HTTP/1.1 over TLS 1.3", metric: cpuSeconds,
			peers: bulk, bounds: []bound{{netHTTP.name, 0.95}, {netHTTPBy.name, 0}, {cBuffer(64).name, 0}},
			args: big(func(n *nginx) string { return n.tls }, "--ca"),
		},
		{
			name: "big-h2", title: "1 GiB body, HTTP/2 over TLS 1.3", metric: cpuSeconds,
			peers: bulk, bounds: []bound{{netHTTP.name, 0.85}, {netHTTPBy.name, 0}, {cBuffer(64).name, 0}},
			args: big(func(n *nginx) string { return n.h2 }, "--ca", "--http2"),
		},
		{
			name: "inflight", title: "Requests in flight at once, HTTP/1.1, peak memory of the process",
			metric: peakMemory,
			peers:  []peer{cLazy, netHTTP, ratmom, async},
			bounds: []bound{{netHTTP.name, 0.60}},
			slow:   true,
			args: func(_ *nginx, s sizes) []string {
				n := strconv.Itoa(s.inFlight)
				return []string{"--requests", n, "--inflight", n}
			},
		},
	}
}
