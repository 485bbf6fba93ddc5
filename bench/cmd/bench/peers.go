package main

import (
	"fmt"
	"strconv"
	"strings"
)

// peer is a program to measure and how to tell it what to do.
type peer struct {
	name    string
	program string   // in the directory of programs
	args    []string // its own
}

var (
	cPlain     = peer{"C plain", "cpeer", nil}
	cLazy      = peer{"C lazy", "cpeer", []string{"--lazy"}}
	cTuned     = peer{"C tuned", "cpeer", []string{"--tuned"}}
	netHTTP    = peer{"net/http", "client-nethttp", nil}
	netHTTPBy  = peer{"net/http, 256K reads", "client-nethttp", []string{"--copy-buffer", "262144"}}
	netHTTPFew = peer{"net/http, few conns", "client-nethttp", []string{"--few-conns"}}
	fastHTTP   = peer{"fasthttp", "client-fasthttp", nil}
	resty      = peer{"resty", "client-resty", nil}
	goCurl     = peer{"go-curl", "client-gocurl", nil}
	curl       = peer{"curl", "client-curl", nil}
	quicGo     = peer{"quic-go", "client-quicgo", nil}
	ratmom     = peer{"ratmom", "client-ratmom", nil}
	async      = peer{"ratmom async", "client-ratmom", []string{"--async"}}

	ratmomPeer      = peer{"ratmom peer", "client-ratmompeer", nil}
	ratmomPeerAsync = peer{"ratmom peer async", "client-ratmompeer", []string{"--async"}}
)

// ours tells ratmom from what it is compared with.
func (p peer) ours() bool { return strings.HasPrefix(p.name, ratmom.name) }

func cBuffer(kb int) peer {
	return peer{fmt.Sprintf("C tuned, %dK", kb), "cpeer", []string{"--tuned", "--buffer", strconv.Itoa(kb << 10)}}
}

// cMonitored is the loop beside a thread that wakes as often as the monitor of Go's
// runtime does at its busiest.
func cMonitored(kb int) peer {
	p := cBuffer(kb)
	return peer{p.name + ", 20 µs naps", p.program, append(p.args, "--naps", "20")}
}

func agents(n int) peer {
	name := fmt.Sprintf("ratmom, %d agents", n)
	if n == 1 {
		name = "ratmom, 1 agent"
	}
	return peer{name, "client-ratmom", []string{"--agents", strconv.Itoa(n)}}
}
