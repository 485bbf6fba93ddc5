package main

import (
	"path/filepath"
	"slices"
	"strconv"
)

// row is one table: peers that do the same work.
type row struct {
	name, title string
	metric      metric   // what is compared and drawn
	columns     []metric // what is shown beside it
	peers       []peer
	bounds      []bound
	protocol    protocol
	server      server
	requests    int
	inFlight    int
	args        []string // what else all peers are told
	rounds      int      // no more than so many; 0: no limit
	times       int      // processes a run, whose mean counts; 0: one
	unpinned    bool     // client and server may use all cores
	work        work     // of a server that is measured
}

// server is who answers.
type server int

const (
	small    server = iota // nginx, with files: 34 bytes,
	middle                 // 100,000,
	bigFile                // 1 GiB
	full                   // nginx without TLS resumption
	resumed                // nginx with it
	sink                   // takes uploads
	slow                   // answers late
	quic                   // HTTP/3: 34 bytes,
	quicBig                // 1 GiB,
	quicSink               // uploads
	itself                 // the peers are servers
	pair                   // both ends are in the peer
)

// path is what is asked for.
func (s server) path() string {
	return [...]string{
		small: "/small", middle: "/middle", bigFile: "/big", full: "/small", resumed: "/small",
		sink: "/sink", slow: "/slow", quic: "/small", quicBig: "/big", quicSink: "/sink",
	}[s]
}

// bound is a ratio that the table gives, of a row's metric if it names none.
type bound struct {
	metric metric
	to     string  // empty: the limit is for the figure itself
	limit  float64 // ratmom's may not be above, or below if more is better; 0: none
	peer   string  // the limit is for this peer alone, instead of all that are ratmom
}

func (r row) boundMetric(b bound) metric {
	if b.metric.of == nil {
		return r.metric
	}
	return b.metric
}

// arguments are what all peers of the row are told.
func (r row) arguments(origin, ca string) []string {
	switch r.server {
	case itself:
		return r.servingArguments(filepath.Dir(ca))
	case pair:
		return r.pairArguments(ca)
	}
	args := append([]string{"--url", origin + r.server.path()}, r.protocol.client(ca)...)
	switch r.server {
	case bigFile, sink, slow, quicBig, quicSink:
		args = append(args, "--warm-url", origin+"/small")
	}
	if r.requests > 1 {
		args = append(args, "--requests", strconv.Itoa(r.requests))
	}
	if r.inFlight > 1 {
		args = append(args, "--inflight", strconv.Itoa(r.inFlight))
	}
	return append(args, r.args...)
}

// servingArguments are what the trials of servers are told; their certificates are in the folder.
func (r row) servingArguments(dir string) []string {
	args := []string{
		"-load", r.work.tool, "-connections", strconv.Itoa(r.inFlight), "-depth", strconv.Itoa(max(r.work.depth, 1)),
		"-requests", strconv.Itoa(r.requests),
	}
	if r.work.front != "" {
		args = append(args, "-front", r.work.front)
	}
	return append(args, r.protocol.server(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))...)
}

// only keeps the peers that are wanted and whose program is here.
func (r row) only(s settings) row {
	for _, name := range r.work.needs() {
		if _, err := look(name); err != nil {
			r.peers = nil
			return r
		}
	}
	r.peers = slices.DeleteFunc(slices.Clone(r.peers), func(p peer) bool {
		return !s.peers.MatchString(p.name) || !exists(filepath.Join(s.programs, p.program))
	})
	return r
}
