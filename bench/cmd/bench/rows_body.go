package main

import "fmt"

// bodyRows: what bytes cost.
func bodyRows(z sizes) []row {
	var all []row
	for _, p := range []protocol{h1, overTLS, h2} {
		r := row{
			name: "middle-" + p.short(), title: fmt.Sprintf("GET of 100 kB, %s, 8 in flight", p),
			metric:  cpuPerRequest,
			columns: []metric{userPart, sysPart, perSecond, gigabytes, tail99, allocations},
			peers:   []peer{cTuned, cBuffer(64), netHTTP, ratmom},
			bounds:  []bound{{to: cBuffer(64).name}, {to: netHTTP.name}},
			server:  middle, protocol: p,
			requests: z.requests / 10, inFlight: 8, args: []string{"--warmup", "100"},
		}
		if p == h1 {
			r.peers = []peer{cTuned, cBuffer(64), goCurl, netHTTP, fastHTTP, resty, ratmom}
			r.bounds[0].limit, r.bounds[1].limit = 1.15, 0.75
		}
		all = append(all, r)
	}
	columns := []metric{userSeconds, sysSeconds, gigabytes, peakMemory}
	download := map[protocol]float64{h1: 0.75, overTLS: 0.90, h2: 0.70}
	for _, p := range []protocol{h1, overTLS, h2} {
		peers := []peer{cTuned, cBuffer(256), cMonitored(256), curl, netHTTP, netHTTPBy, ratmom}
		if p != h2 {
			peers = append(peers, fastHTTP)
		}
		if p == h1 {
			peers = append(peers, goCurl)
		}
		all = append(all, row{
			name: "download-" + p.short(), title: fmt.Sprintf("Download of 1 GiB, %s", p),
			metric: cpuSeconds, columns: columns, peers: peers, server: bigFile, protocol: p,
			bounds: []bound{{to: cBuffer(256).name, limit: 1.10}, {to: netHTTP.name, limit: download[p]}, {to: netHTTPBy.name}},
			args:   []string{"--warmup", "1", "--stream"},
		})
	}
	upload := map[protocol]float64{h1: 0.90, h2: 0.70}
	for _, p := range []protocol{h1, overTLS, h2} {
		peers := []peer{cTuned, curl, netHTTP, ratmom}
		if p != h2 {
			peers = append(peers, fastHTTP)
		}
		r := row{
			name: "upload-" + p.short(), title: fmt.Sprintf("Upload of 1 GiB, %s", p),
			metric: cpuSeconds, columns: columns, peers: peers, server: sink, protocol: p,
			bounds: []bound{{to: cTuned.name}, {to: netHTTP.name, limit: upload[p]}},
			args:   []string{"--warmup", "1", "--upload", fmt.Sprint(bigBytes)},
		}
		if upload[p] > 0 {
			r.bounds[0].limit = 1.15
		}
		all = append(all, r)
	}
	return all
}
