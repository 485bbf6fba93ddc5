package main

import "fmt"

// http3Rows are measured where libcurl speaks HTTP/3: elsewhere their server and
// quic-go's client are not built.
func http3Rows(z sizes) []row {
	peers := []peer{cTuned, quicGo, ratmom}
	ratios := func(limit float64) []bound { return []bound{{to: cTuned.name}, {to: quicGo.name, limit: limit}} }
	body := []metric{userSeconds, sysSeconds, gigabytes, peakMemory}
	return []row{
		{
			name: "small-h3-64", title: "GET of 34 bytes, HTTP/3, 64 in flight",
			metric: cpuPerRequest, columns: []metric{userPart, sysPart, perSecond, median50, tail99, allocations, peakMemory},
			peers: peers, bounds: ratios(0), server: quic, protocol: h3,
			requests: z.requests / 4, inFlight: 64, args: []string{"--warmup", "500"},
		},
		{
			name: "download-h3", title: "Download of 1 GiB, HTTP/3", metric: cpuSeconds, columns: body,
			peers: peers, bounds: ratios(0.80), server: quicBig, protocol: h3, rounds: 5,
			args: []string{"--warmup", "1", "--stream"},
		},
		{
			name: "upload-h3", title: "Upload of 1 GiB, HTTP/3", metric: cpuSeconds, columns: body,
			peers: peers, bounds: ratios(0), server: quicSink, protocol: h3, rounds: 5,
			args: []string{"--warmup", "1", "--upload", fmt.Sprint(bigBytes)},
		},
	}
}
