package main

import "fmt"

// smallRows: what a request costs when there is next to nothing to carry.
func smallRows(z sizes) []row {
	columns := []metric{userPart, sysPart, perSecond, median50, tail99, allocations, peakMemory}
	// With one in flight a round trip is most of the time, and a thousand TLS
	// connections take seconds to open: fewer peers and requests there.
	few := []peer{cTuned, netHTTP, fastHTTP, ratmom}
	few2 := []peer{cTuned, netHTTP, ratmom}
	none := []bound{{to: cTuned.name}, {to: netHTTP.name}}
	make1 := func(p protocol, inFlight int, peers []peer, bounds []bound) row {
		r := row{
			name:     fmt.Sprintf("small-%s-%d", p.short(), inFlight),
			title:    fmt.Sprintf("GET of 34 bytes, %s, %d in flight", p, inFlight),
			metric:   cpuPerRequest,
			columns:  columns,
			peers:    peers,
			bounds:   bounds,
			protocol: p,
			requests: z.requests,
			inFlight: inFlight,
			args:     []string{"--warmup", fmt.Sprint(max(2000, 2*inFlight))},
		}
		if inFlight == 1000 {
			r.rounds = 5
		}
		if inFlight == 1 {
			r.requests /= 4
			r.args = []string{"--warmup", "200"}
		}
		return r
	}
	return []row{
		make1(h1, 1, few, none),
		make1(h1, 64, []peer{cPlain, cLazy, cTuned, goCurl, curl, netHTTP, fastHTTP, resty, ratmom}, []bound{
			{to: cTuned.name, limit: 1.20}, {to: netHTTP.name, limit: 0.95}, {to: fastHTTP.name},
			{metric: tail99, to: netHTTP.name, limit: 1.00}, {metric: allocations, to: netHTTP.name, limit: 0.50},
		}),
		make1(h1, 1000, few, none),
		make1(overTLS, 1, few, none),
		make1(overTLS, 64, []peer{cPlain, cTuned, goCurl, netHTTP, fastHTTP, ratmom}, []bound{
			{to: cTuned.name, limit: 1.20}, {to: netHTTP.name, limit: 1.00}, {to: fastHTTP.name},
		}),
		make1(overTLS, 1000, few2, none),
		make1(h2, 1, few2, none),
		make1(h2, 64, []peer{cPlain, cTuned, goCurl, netHTTP, ratmom}, []bound{
			{to: cTuned.name, limit: 1.15}, {to: netHTTP.name, limit: 1.40},
		}),
		make1(h2, 1000, []peer{cTuned, netHTTP, netHTTPFew, ratmom}, append(none, bound{to: netHTTPFew.name})),
	}
}
