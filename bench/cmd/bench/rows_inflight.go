package main

import "fmt"

// inFlightRows: what requests cost that wait.
func inFlightRows(z sizes) []row {
	// Memory varies little, and thousands of TLS handshakes take long.
	rounds := 3
	if z.short {
		rounds = 1
	}
	make1 := func(p protocol, nominal int, limit float64, peers ...peer) row {
		n := nominal
		if p != h2 {
			n = min(n, z.files-100)
		}
		return row{
			name:    fmt.Sprintf("inflight-%s-%d", p.short(), nominal),
			title:   fmt.Sprintf("%d requests in flight, %s", n, p),
			metric:  peakMemory,
			columns: []metric{goroutines, threads, cpuSeconds, wallMS},
			peers:   peers,
			bounds:  []bound{{to: cTuned.name}, {to: netHTTP.name, limit: limit}, {to: netHTTPFew.name}},
			server:  slow, protocol: p,
			requests: n, inFlight: n, rounds: rounds, args: []string{"--watch"},
		}
	}
	all := []row{
		make1(h1, 5000, 0.45, cTuned, netHTTP, fastHTTP, ratmom, async),
		make1(overTLS, 5000, 0.9, cTuned, netHTTP, ratmom, async),
		make1(h2, 5000, 0.5, cTuned, netHTTP, netHTTPFew, ratmom, async),
	}
	if !z.short {
		all = append(all,
			make1(h1, 20000, 0, cTuned, netHTTP, fastHTTP, ratmom, async),
			make1(h2, 20000, 0, cTuned, netHTTPFew, ratmom, async))
		// libcurl 7.88 looks through all its connections for each: half a minute.
		all[3].rounds, all[4].rounds = 1, 1
	}
	for i := range all {
		if all[i].protocol == h2 {
			// The first request opens the connection that the others find.
			all[i].args = append(all[i].args, "--warmup", "1")
		}
	}
	return all
}
