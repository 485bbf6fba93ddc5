package main

import "fmt"

// connectionRows: what beginning costs, and what a second core brings.
func connectionRows(z sizes) []row {
	var all []row
	for _, p := range []protocol{h1, overTLS, h2} {
		peers := []peer{cTuned, netHTTP, ratmom}
		if p == h1 {
			peers = []peer{cTuned, netHTTP, fastHTTP, resty, ratmom}
		}
		all = append(all, row{
			name: "cold-" + p.short(), title: fmt.Sprintf("The first request of a process' first client, %s", p),
			metric: wallMS, columns: []metric{cpuMS, processMS, lifetimeMS, peakMemory},
			peers: peers, bounds: []bound{{to: cTuned.name}, {to: netHTTP.name}},
			protocol: p, times: 10, args: []string{"--cold"},
		})
	}
	for _, s := range []server{full, resumed} {
		r := row{
			name: "handshake-full", title: "A new TLS 1.3 connection for each request, 8 in flight, full handshakes",
			metric: handshakes, columns: []metric{cpuPerRequest, median50, tail99, resumption, allocations},
			peers:  []peer{cTuned, netHTTP, fastHTTP, ratmom},
			bounds: []bound{{to: cTuned.name}, {to: netHTTP.name, limit: 0.6}, {metric: cpuPerRequest, to: netHTTP.name}},
			server: s, protocol: overTLS, requests: max(z.requests/50, 100), inFlight: 8,
			args: []string{"--warmup", "16", "--fresh"},
		}
		if s == resumed {
			r.name, r.title = "handshake-resumed", "A new TLS 1.3 connection for each request, 8 in flight, sessions resumed"
			r.bounds[1].limit = 1.0
		}
		all = append(all, r)
	}
	return append(all, row{
		name: "cores", title: "GET of 34 bytes, HTTP/1.1, 64 in flight, client and server on all cores",
		metric: perSecond, columns: []metric{cpuPerRequest, median50, tail99},
		peers:    []peer{netHTTP, fastHTTP, agents(1), agents(2)},
		bounds:   []bound{{to: netHTTP.name, limit: 1.10, peer: agents(2).name}, {to: agents(1).name}},
		protocol: h1, requests: z.requests, inFlight: 64, unpinned: true, args: []string{"--warmup", "2000"},
	})
}
