package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// measure lets the peers run by turns, in every other round backwards, so that
// none always follows the same one.
func (s settings) measure(l *lab, r row) ([]runs, error) {
	measured := make([]runs, len(r.peers))
	rounds := s.roundsOf(r)
	for round := range rounds {
		for i := range r.peers {
			if round%2 == 1 {
				i = len(r.peers) - 1 - i
			}
			p := r.peers[i]
			progress("%s %d/%d %s", r.name, round+1, rounds, p.name)
			res, err := s.once(l, r, p)
			if err != nil {
				progress("")
				return nil, fmt.Errorf("%s, %s: %w", r.name, p.name, err)
			}
			measured[i].peer = p
			measured[i].samples = append(measured[i].samples, res)
		}
	}
	progress("")
	return measured, nil
}

func (s settings) roundsOf(r row) int {
	if r.rounds > 0 {
		return min(r.rounds, s.rounds)
	}
	return s.rounds
}

// progress writes over the last line of a terminal; elsewhere it is silent.
func progress(format string, args ...any) {
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
	}
}

// once runs a peer, and again while runs are noisy and there is patience left for
// this one: patience is for the whole benchmark, and each run earns its share.
func (s settings) once(l *lab, r row, p peer) (best sample, err error) {
	s.patience.earn()
	start := time.Now()
	awaitQuiet(s.clientOn(r), s.quiet, s.patience.left())
	s.patience.spend(time.Since(start))
	for {
		start = time.Now()
		got, err := s.run(l, r, p)
		if err != nil {
			return got, err
		}
		took := time.Since(start)
		if best.Requests == 0 || got.noise() < best.noise() {
			best = got
		}
		if best.noise() <= s.quiet || took > s.patience.left() {
			return best, nil
		}
		s.patience.spend(took)
	}
}

func (s settings) clientOn(r row) string {
	if r.unpinned {
		return ""
	}
	return s.clientCore
}

// run is one run, of several processes where one is too short to measure.
func (s settings) run(l *lab, r row, p peer) (sum sample, err error) {
	program, err := filepath.Abs(filepath.Join(s.programs, p.program))
	if err != nil {
		return sum, err
	}
	n := max(r.times, 1)
	for i := range n {
		at, err := l.station(r)
		if err != nil {
			return sum, err
		}
		args := append(slices.Clone(p.args), r.arguments(at.origin, l.pinned.ca())...)
		if r.unpinned && r.server != pair {
			args = append(slices.Clone(p.args), r.arguments(at.origin, l.free.ca())...)
		}
		if r.server == itself {
			args = append(args, "-core", s.clientCore, "-load-core", s.serverCore, "-programs", s.programs, "-cipher", s.cipher)
		}
		got, err := measure(s.clientOn(r), at.pid, program, args)
		if e := at.ended(&got); err == nil {
			err = e
		}
		if err != nil {
			return got, err
		}
		if i == 0 {
			sum = got
			continue
		}
		sum.add(got)
	}
	sum.divide(float64(n))
	return sum, nil
}

func (s *sample) add(t sample) {
	s.Wall += t.Wall
	s.User += t.User
	s.Sys += t.Sys
	s.process += t.process
	s.lifetime += t.lifetime
	s.PeakRSSKB = max(s.PeakRSSKB, t.PeakRSSKB)
	s.others += t.others
	s.slow += t.slow
}

func (s *sample) divide(n float64) {
	s.Wall /= n
	s.User /= n
	s.Sys /= n
	s.process /= n
	s.lifetime /= n
	s.others /= n
	s.slow /= n
}
