package main

import "fmt"

// work is what a row does to a server that is measured; its zero value is for rows that measure clients.
type work struct {
	tool  string // wrk, h2load or idle
	front string // haproxy or nginx in front of the server, or nobody
	depth int    // requests at a time on a connection
}

// needs are the programs that it takes.
func (w work) needs() (all []string) {
	if w.tool != "" && w.tool != "idle" {
		all = append(all, w.tool)
	}
	if w.front != "" {
		all = append(all, w.front)
	}
	return all
}

// servingRows measure the server's side: who is named is the server, and the clients are the same for
// all of them.
func servingRows(z sizes) []row {
	all4 := []peer{serving("net/http"), serving("fasthttp"), serving("nginx"), servingRatmom(0), servingRatmom(15)}
	noFast := []peer{serving("net/http"), serving("nginx"), servingRatmom(0)}
	behind := []peer{serving("net/http"), serving("fasthttp"), servingRatmom(0)}
	speed := []metric{cpuPerRequest, median50, tail99, peakMemory}
	bounds := func(limit float64, to string) []bound {
		return []bound{{to: netHTTP.name, limit: limit, peer: to}, {metric: cpuPerRequest, to: netHTTP.name}, {to: fastHTTP.name}, {to: "nginx"}}
	}
	all := []row{
		{
			name: "serve-h1-64", title: "The server's side: GET of 34 bytes, HTTP/1.1, 64 connections",
			metric: perSecond, columns: speed, peers: all4, bounds: bounds(1, ratmom.name),
			protocol: h1, requests: 4 * z.requests, inFlight: 64, work: work{tool: "wrk", depth: 1},
		},
		{
			name: "serve-h1-pipelined", title: "The server's side: GET of 34 bytes, HTTP/1.1, 16 connections, pipelined 16 deep",
			metric: perSecond, columns: []metric{cpuPerRequest, peakMemory}, peers: all4, bounds: bounds(2, servingRatmom(15).name),
			protocol: h1, requests: 8 * z.requests, inFlight: 16, work: work{tool: "wrk", depth: 16},
		},
		{
			name: "serve-tls-64", title: "The server's side: GET of 34 bytes, HTTP/1.1 over TLS 1.3, 64 connections",
			metric: perSecond, columns: speed, peers: all4[:4], bounds: bounds(1, ratmom.name),
			protocol: overTLS, requests: 4 * z.requests, inFlight: 64, work: work{tool: "wrk", depth: 1},
		},
		{
			name: "serve-h2", title: "The server's side: GET of 34 bytes, HTTP/2, 4 connections with 16 streams",
			metric: perSecond, columns: []metric{cpuPerRequest, peakMemory}, peers: noFast,
			bounds:   []bound{{to: netHTTP.name}, {to: "nginx"}},
			protocol: h2, requests: 4 * z.requests, inFlight: 4, work: work{tool: "h2load", depth: 16},
		},
		{
			name: "serve-idle", title: "The server's side: memory of idle connections, HTTP/1.1",
			metric: idleMemory, columns: []metric{peakMemory}, peers: all4,
			bounds:   []bound{{to: netHTTP.name, limit: 0.5}, {to: fastHTTP.name}, {to: "nginx"}},
			protocol: h1, requests: min(5000, z.files/2-200), inFlight: 1, work: work{tool: "idle"},
		},
	}
	for _, front := range []string{"haproxy", "nginx"} {
		for _, w := range []work{{tool: "wrk", front: front, depth: 1}, {tool: "h2load", front: front, depth: 16}} {
			r := row{
				name:   fmt.Sprintf("behind-%s-h1", front),
				title:  fmt.Sprintf("The server's side: behind %s, GET of 34 bytes, HTTP/1.1, 64 connections of clients", front),
				metric: cpuPerRequest, columns: []metric{perSecond, median50, tail99, peakMemory}, peers: behind,
				bounds:   []bound{{to: netHTTP.name}, {to: fastHTTP.name}},
				protocol: h1, requests: 2 * z.requests, inFlight: 64, work: w,
			}
			if w.tool == "h2load" {
				r.name = fmt.Sprintf("behind-%s-h2", front)
				r.title = fmt.Sprintf("The server's side: behind %s, GET of 34 bytes, clients with HTTP/2, 4 connections with 16 streams", front)
				r.protocol, r.inFlight, r.columns = h2, 4, []metric{perSecond, peakMemory}
			}
			all = append(all, r)
		}
	}
	for i := range all {
		all[i].server, all[i].rounds = itself, 5
	}
	return all
}

// serving is a server as a peer: this program starts it, and loads it from the other core.
func serving(name string, args ...string) peer {
	return peer{name, "bench", append([]string{"serving", "-server", name}, args...)}
}

func servingRatmom(pipeline int) peer {
	p := serving(ratmom.name, "-pipeline", fmt.Sprint(pipeline))
	if pipeline > 0 {
		p.name = fmt.Sprintf("ratmom, Pipeline %d", pipeline)
	}
	return p
}
