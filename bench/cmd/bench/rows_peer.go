package main

import "fmt"

// peerRows: what package peer adds to the plain client.
func peerRows(z sizes) (all []row) {
	for _, p := range []protocol{h1, h2} {
		for _, inFlight := range []int{1, 64} {
			r := row{
				name:    fmt.Sprintf("peer-%s-%d", p.short(), inFlight),
				title:   fmt.Sprintf("GET of 34 bytes through a peer, %s, %d in flight", p, inFlight),
				metric:  cpuPerRequest,
				columns: []metric{userPart, sysPart, perSecond, median50, tail99, allocations, peakMemory},
				peers:   []peer{ratmom, async, ratmomPeer, ratmomPeerAsync},
				bounds:  []bound{{to: ratmom.name, limit: 1.10, peer: ratmomPeer.name}},

				protocol: p, requests: z.requests, inFlight: inFlight,
				args: []string{"--warmup", "2000"},
			}
			if inFlight == 1 {
				r.requests /= 4
				r.args = []string{"--warmup", "200"}
			}
			all = append(all, r)
		}
	}
	return all
}
