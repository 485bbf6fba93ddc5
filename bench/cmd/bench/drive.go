package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// driven is what a run of the clients tells.
type driven struct {
	requests int64
	seconds  float64
	p50, p99 float64 // µs; 0: not known
}

// drive has the clients make requests: h2load so many, wrk for so long.
func (s *service) drive(url string, requests int, lasts time.Duration) (driven, error) {
	if s.work.tool == "h2load" {
		return s.h2load(url, requests)
	}
	return s.wrk(url, lasts)
}

// client runs one of the tools to its end and gives what it says.
func (s *service) client(name string, args ...string) (string, error) {
	program, err := look(name)
	if err != nil {
		return "", err
	}
	b, err := pinned(s.loadCore, program, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, b)
	}
	return string(b), nil
}

// pipelined has wrk send so many requests at a time; it counts every answer.
const pipelined = `
local together
init = function(args)
	local all = {}
	for i = 1, %d do all[i] = wrk.format() end
	together = table.concat(all)
end
request = function() return together end
`

var (
	wrkDone    = regexp.MustCompile(`(\d+) requests in ([\d.]+)(m?s|m)`)
	wrkTrouble = regexp.MustCompile(`Socket errors: .*|Non-2xx or 3xx responses: .*`)
	wrkP50     = regexp.MustCompile(`\n\s*50%\s+([\d.]+)(us|ms|s)`)
	wrkP99     = regexp.MustCompile(`\n\s*99%\s+([\d.]+)(us|ms|s)`)
)

func (s *service) wrk(url string, lasts time.Duration) (driven, error) {
	// It takes whole seconds only.
	seconds := max(1, int(lasts.Round(time.Second)/time.Second))
	args := []string{"-t", "1", "-c", strconv.Itoa(s.connections), "-d", strconv.Itoa(seconds) + "s", "--latency"}
	if s.work.depth > 1 {
		dir, err := os.MkdirTemp("", "ratmom-bench-")
		if err != nil {
			return driven{}, err
		}
		defer os.RemoveAll(dir)
		script := filepath.Join(dir, "pipelined.lua")
		if err := os.WriteFile(script, fmt.Appendf(nil, pipelined, s.work.depth), 0o600); err != nil {
			return driven{}, err
		}
		args = append(args, "-s", script)
	}
	said, err := s.client("wrk", append(args, url)...)
	if err != nil {
		return driven{}, err
	}
	done := wrkDone.FindStringSubmatch(said)
	if trouble := wrkTrouble.FindString(said); done == nil || trouble != "" {
		return driven{}, fmt.Errorf("wrk: %s\n%s", trouble, said)
	}
	var d driven
	d.requests, _ = strconv.ParseInt(done[1], 10, 64)
	d.seconds = micros(done[2:]) / 1e6
	if s.work.depth == 1 {
		d.p50, d.p99 = micros(found(wrkP50, said)), micros(found(wrkP99, said))
	}
	switch {
	case d.requests > 0 && d.seconds > 0:
		return d, nil
	case seconds < 10: // a thousand handshakes on a busy machine, maybe
		return s.wrk(url, 2*time.Duration(seconds)*time.Second)
	}
	return d, fmt.Errorf("wrk made no requests\n%s", said)
}

func found(r *regexp.Regexp, text string) []string {
	if m := r.FindStringSubmatch(text); m != nil {
		return m[1:]
	}
	return []string{"0", "us"}
}

// micros is a number with a unit in µs.
func micros(v []string) float64 {
	n, _ := strconv.ParseFloat(v[0], 64)
	return n * map[string]float64{"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}[v[1]]
}

var (
	h2loadDone  = regexp.MustCompile(`finished in ([\d.]+)(us|ms|s|m)`)
	h2loadCount = regexp.MustCompile(`requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded`)
)

func (s *service) h2load(url string, requests int) (driven, error) {
	said, err := s.client("h2load", "-n", strconv.Itoa(requests), "-c", strconv.Itoa(s.connections), "-m", strconv.Itoa(s.work.depth), url)
	if err != nil {
		return driven{}, err
	}
	done, count := h2loadDone.FindStringSubmatch(said), h2loadCount.FindStringSubmatch(said)
	if done == nil || count == nil || count[3] != count[1] || count[1] != strconv.Itoa(requests) {
		return driven{}, fmt.Errorf("h2load: not all requests succeeded\n%s", said)
	}
	return driven{requests: int64(requests), seconds: micros(done[1:]) / 1e6}, nil
}
