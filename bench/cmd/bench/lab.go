package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// lab holds the servers, each started when the first row needs it.
type lab struct {
	settings settings
	pinned   *nginx
	free     *nginx // on all cores
	programs map[string]*program
	read     sync.Once // the big file, which is then in the page cache
}

func openLab(s settings) (*lab, error) {
	workers := "1"
	if s.serverCore == "" {
		workers = "auto"
	}
	n, err := startNginx(s.serverCore, workers, s.cipher)
	return &lab{settings: s, pinned: n, programs: map[string]*program{}}, err
}

func (l *lab) close() {
	for _, p := range l.programs {
		p.stop()
	}
	for _, n := range []*nginx{l.pinned, l.free} {
		if n != nil {
			n.stop()
		}
	}
}

// station is where one run asks.
type station struct {
	origin string
	pid    int
	// ended looks, after the run, whether it did what it should.
	ended func(*sample) error
}

func (l *lab) station(r row) (station, error) {
	done := func(*sample) error { return nil }
	switch r.server {
	case sink:
		p, err := l.program("sink", r.protocol)
		if err != nil {
			return station{}, err
		}
		return station{r.protocol.scheme() + p.addr, p.cmd.Process.Pid, done}, nil
	case quic, quicBig, quicSink:
		p, err := l.program("quic", h3)
		if err != nil {
			return station{}, err
		}
		return station{h3.scheme() + p.addr, p.cmd.Process.Pid, done}, nil
	case slow:
		return l.slow(r)
	case itself, pair:
		return station{"", l.pinned.cmd.Process.Pid, done}, nil
	}
	n := l.pinned
	if r.unpinned {
		if l.free == nil {
			var err error
			if l.free, err = startNginx("", "auto", l.settings.cipher); err != nil {
				return station{}, err
			}
		}
		n = l.free
	}
	switch r.server {
	case bigFile:
		l.read.Do(func() { _ = readAll(filepath.Join(n.dir, "big")) })
	case full:
		return station{n.full, n.cmd.Process.Pid, done}, nil
	case resumed:
		resumed0, all0 := n.reuse()
		return station{n.resumed, n.cmd.Process.Pid, func(s *sample) error {
			resumed1, all1 := n.reuse()
			s.resumed = float64(resumed1-resumed0) / float64(max(all1-all0, 1))
			return nil
		}}, nil
	}
	return station{n.origins[r.protocol], n.cmd.Process.Pid, done}, nil
}

// program is a server that lasts from its first use to the end.
func (l *lab) program(name string, p protocol) (*program, error) {
	key := name + p.short()
	if l.programs[key] == nil {
		started, err := startProgram(l.settings.serverCore, l.path(name), l.serverArgs(p))
		if err != nil {
			return nil, err
		}
		l.programs[key] = started
	}
	return l.programs[key], nil
}

func (l *lab) path(name string) string { return filepath.Join(l.settings.programs, name) }

func (l *lab) serverArgs(p protocol) []string {
	return p.server(filepath.Join(l.pinned.dir, "cert.pem"), filepath.Join(l.pinned.dir, "key.pem"))
}

// slow is a slow server for one run: it counts.
func (l *lab) slow(r row) (station, error) {
	args := append(l.serverArgs(r.protocol), "-after", l.settings.sizes.after.String(), "-crowd", strconv.Itoa(r.inFlight))
	p, err := startProgram(l.settings.serverCore, l.path("slow"), args)
	if err != nil {
		return station{}, err
	}
	return station{r.protocol.scheme() + p.addr, p.cmd.Process.Pid, func(*sample) error {
		if peak := p.stop(); peak != strconv.Itoa(r.inFlight) {
			return fmt.Errorf("only %s of %d were in flight at once", peak, r.inFlight)
		}
		return nil
	}}, nil
}

func readAll(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	return err
}
