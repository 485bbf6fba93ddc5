package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
	"github.com/ratmom/ratmom/bench/internal/serve"
)

// service is the trial of a server: this program, called again as a peer, starts the server on one core and its
// clients on another, and reports of the server.
type service struct {
	programs, server  string
	pipeline          int
	core, loadCore    string
	cipher            string
	flags             serve.Flags
	work              work
	connections, size int // size is the number of requests, more or less
}

// servingMain runs what the command line describes.
func servingMain(args []string) error {
	var s service
	f := flag.NewFlagSet("serving", flag.ExitOnError)
	f.StringVar(&s.programs, "programs", "bin", "where the servers are")
	f.StringVar(&s.server, "server", "", "net/http, ratmom, fasthttp or nginx")
	f.IntVar(&s.pipeline, "pipeline", 0, "ratmom's")
	f.StringVar(&s.core, "core", "", "pin the server to this core")
	f.StringVar(&s.loadCore, "load-core", "", "pin the clients, and who is in front, to this core")
	f.StringVar(&s.cipher, "cipher", "TLS_AES_128_GCM_SHA256", "TLS 1.3 cipher suite of nginx")
	f.StringVar(&s.flags.Cert, "cert", "", "serve TLS, with the certificate in this file")
	f.StringVar(&s.flags.Key, "key", "", "and the key in this one")
	f.BoolVar(&s.flags.HTTP2, "http2", false, "the clients speak HTTP/2")
	f.StringVar(&s.work.tool, "load", "wrk", "wrk, h2load or idle")
	f.StringVar(&s.work.front, "front", "", "haproxy or nginx, in front of the server")
	f.IntVar(&s.work.depth, "depth", 1, "requests at a time on a connection")
	f.IntVar(&s.connections, "connections", 1, "of the clients")
	f.IntVar(&s.size, "requests", 1000, "about how many requests; of idle connections exactly so many")
	_ = f.Parse(args) // it exits by itself
	res, err := s.run()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

func (s *service) run() (res result.Result, err error) {
	server, err := s.start()
	if err != nil {
		return res, err
	}
	defer server.stop()
	origin := server.origin
	if s.work.front != "" {
		front, err := s.startFront(server.origin)
		if err != nil {
			return res, err
		}
		defer front.stop()
		origin = front.origin
	}
	res.Version = s.server
	if s.work.tool == "idle" {
		err = s.idle(&res, server)
	} else {
		err = s.busy(&res, server.pid, origin+small.path())
	}
	if err != nil {
		return res, err
	}
	res.PeakRSSKB, err = memoryOf(server.pid, "VmHWM:")
	return res, err
}

// busy warms the server up and loads it.
func (s *service) busy(res *result.Result, pid int, url string) error {
	// wrk takes a time and h2load a number: a short run tells what the one is for the other.
	trial, err := s.drive(url, s.size/10, 300*time.Millisecond)
	if err != nil {
		return err
	}
	lasts := time.Duration(float64(s.size) / float64(trial.requests) * trial.seconds * float64(time.Second))
	before := cpuOf(pid)
	got, err := s.drive(url, s.size, lasts)
	if err != nil {
		return err
	}
	res.Requests, res.Wall, res.P50, res.P99 = got.requests, got.seconds, got.p50, got.p99
	res.User = (cpuOf(pid) - before).Seconds() // with the kernel's part
	return nil
}

// served is a running server.
type served struct {
	origin string
	pid    int
	stop   func()
}

func (s *service) start() (served, error) {
	if s.server == "nginx" {
		n, err := startNginx(s.core, "1", s.cipher) // one process, as its peers
		if err != nil {
			return served{}, err
		}
		return served{n.origins[s.protocol()], n.cmd.Process.Pid, n.stop}, nil
	}
	var args []string
	if s.work.front == "" { // who is in front has TLS and HTTP/2
		args = s.protocol().server(s.flags.Cert, s.flags.Key)
	}
	if s.pipeline > 0 {
		args = append(args, "-pipeline", fmt.Sprint(s.pipeline))
	}
	p, err := startProgram(s.core, filepath.Join(s.programs, "server-"+strings.ReplaceAll(s.server, "/", "")), args)
	if err != nil {
		return served{}, err
	}
	scheme := s.protocol().scheme()
	if s.work.front != "" {
		scheme = h1.scheme()
	}
	return served{scheme + p.addr, p.cmd.Process.Pid, func() { p.stop() }}, nil
}

func (s *service) protocol() protocol {
	switch {
	case s.flags.HTTP2:
		return h2
	case s.flags.Cert != "":
		return overTLS
	}
	return h1
}

// memoryOf is a figure of /proc/PID/status in KiB, its children's added.
func memoryOf(pid int, name string) (sum int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), name)
	if !ok {
		return 0, errors.New("no " + name + " in /proc")
	}
	if _, err := fmt.Sscan(rest, &sum); err != nil {
		return 0, err
	}
	b, _ = os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(b)) {
		var n int
		if _, err := fmt.Sscan(child, &n); err == nil {
			more, _ := memoryOf(n, name) // it may have ended
			sum += more
		}
	}
	return sum, nil
}
