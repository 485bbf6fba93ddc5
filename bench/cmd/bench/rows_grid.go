package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
)

// carried is a way to carry calls and streams, as a peer: both ends are in one process, with all cores.
func carried(name, carrier string) peer { return peer{name, "pair", []string{"-carrier", carrier}} }

var (
	ratmomGrid   = carried("ratmom grid", "grid")
	ratmomInline = carried("ratmom grid, Inline", "inline")
	ratmomTyped  = carried("ratmom grid, typed", "typed")
	grpcRaw      = carried("gRPC-Go", "grpc")
	grpcProtobuf = carried("gRPC-Go, protobuf", "protobuf")
	rawTCP       = carried("raw TCP", "tcp")
)

// gridRows measure the grid beside gRPC-Go and what the kernel alone costs.
func gridRows(z sizes) []row {
	five := []peer{ratmomGrid, ratmomInline, ratmomTyped, grpcRaw, grpcProtobuf, rawTCP}
	three := []peer{ratmomGrid, grpcRaw, rawTCP}
	two := []peer{ratmomGrid, grpcRaw}
	calls := []metric{cpuPerRequest, median50, tail99, allocations, allocatedBytes, peakMemory}
	atLeast := func(limit float64) bound { return bound{to: grpcRaw.name, limit: limit, peer: ratmomGrid.name} }
	cpu := bound{metric: cpuPerRequest, to: grpcRaw.name}
	most := func(m metric, limit float64, p peer) bound { return bound{metric: m, limit: limit, peer: p.name} }

	echo := func(name, of string, size, callers int, bounds ...bound) row {
		return row{
			name: "grid-" + name, title: fmt.Sprintf("Grid: calls of %s, echoed, %d at a time over one connection", of, callers),
			metric: perSecond, columns: calls, peers: five, bounds: append(bounds, cpu, bound{to: rawTCP.name}),
			inFlight: callers, args: []string{"-work", "echo", "-size", strconv.Itoa(size), "-callers", strconv.Itoa(callers)},
		}
	}
	tls := echo("512-128-tls", "512 bytes over TLS 1.3", 512, 128, atLeast(3))
	tls.protocol, tls.peers = overTLS, []peer{ratmomGrid, ratmomInline, ratmomTyped, grpcRaw, grpcProtobuf}
	all := []row{
		echo("32-1", "32 bytes", 32, 1, atLeast(0)),
		echo("512-16", "512 bytes", 512, 16, atLeast(0)),
		echo("512-128", "512 bytes", 512, 128, atLeast(8), most(allocations, 4, ratmomGrid), most(allocations, 7, ratmomTyped)),
		tls,
		echo("64k-16", "64 KiB", 64<<10, 16, atLeast(2), most(allocatedBytes, 4<<10, ratmomGrid)),
		echo("1m-1", "1 MiB", 1<<20, 1, atLeast(1.3)),
		{
			name: "grid-streams", title: "Grid: streams of 10 messages of 512 bytes to the caller, 16 at a time over one connection",
			metric: perSecond, columns: calls, peers: three, bounds: []bound{atLeast(3), cpu},
			inFlight: 16, args: []string{"-work", "streams", "-callers", "16"},
		},
	}
	for _, f := range []struct {
		name, of string
		size     int
	}{{"64k", "64 KiB", 64 << 10}, {"1m", "1 MiB", 1 << 20}} {
		all = append(all, row{
			name: "grid-flood-" + f.name, title: fmt.Sprintf("Grid: one stream of messages of %s, as fast as it goes", f.of),
			metric: gigabytes, columns: []metric{cpuPerRequest, allocations, allocatedBytes, peakMemory}, peers: three,
			bounds: []bound{atLeast(1.3), {to: rawTCP.name, limit: 0.6, peer: ratmomGrid.name}, cpu},
			args:   []string{"-work", "flood", "-size", strconv.Itoa(f.size)},
		})
	}
	all = append(all, row{
		name: "grid-beside-bulk", title: "Grid: calls of 64 bytes, one at a time, beside four calls of 8 MiB at a time",
		metric: tail99, columns: []metric{median50, gigabytes, peakMemory}, peers: two,
		bounds: []bound{{to: grpcRaw.name}, most(tail99, 3000, ratmomGrid), {metric: gigabytes, to: grpcRaw.name}},
		args:   []string{"-work", "beside", "-size", "64"},
	})
	for i := range all {
		lasts := "1s"
		if z.short {
			lasts = "300ms"
		}
		all[i].args = append(all[i].args, "-lasts", lasts)
	}
	all = append(all, []row{
		{
			name: "grid-idle", title: "Grid: an end of a connection that does nothing, of 8 servers that are connected to each other",
			metric: idleMemory, columns: []metric{goroutinesEach}, peers: two,
			bounds: []bound{{to: grpcRaw.name}, most(idleMemory, 200, ratmomGrid), most(goroutinesEach, 3, ratmomGrid)},
			args:   []string{"-work", "idle", "-callers", "8"}, rounds: 3,
		},
		{
			name: "grid-open", title: "Grid: both ends of an open stream without messages",
			metric: openMemory, columns: []metric{goroutinesEach}, peers: two,
			bounds: []bound{{to: grpcRaw.name}, most(openMemory, 6, ratmomGrid), most(goroutinesEach, 1, ratmomGrid)},
			args:   []string{"-work", "open", "-callers", "200"}, rounds: 3,
		},
	}...)
	if !z.short {
		all = append(all, row{
			name: "grid-reconnect", title: "Grid: from the reset of a connection that has been there for 11 s to the next answer",
			metric: wallMS, peers: two, bounds: []bound{{to: grpcRaw.name}, most(wallMS, 50, ratmomGrid)},
			args: []string{"-work", "reconnect", "-settle", "11s"}, rounds: 3,
		})
	}
	for i := range all {
		r := &all[i]
		r.server, r.unpinned = pair, true
		if r.protocol == "" {
			r.protocol = h1
		}
	}
	return all
}

// pairArguments are what the peers with both ends in them are told.
func (r row) pairArguments(ca string) []string {
	dir := filepath.Dir(ca)
	args := append(slices.Clone(r.args), r.protocol.server(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))...)
	if r.protocol == overTLS {
		args = append(args, "-ca", ca)
	}
	return args
}
