// Command bench runs the benchmark: servers on one core, one client process at
// a time on another, peers by turns, medians and ratios as Markdown and charts.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

type settings struct {
	programs               string
	rounds                 int
	serverCore, clientCore string
	cipher                 string
	sizes                  sizes
	quiet                  float64
	patience               *patience
	rows, peers            *regexp.Regexp
	began                  time.Time
}

func main() {
	// Children are told to end when the thread that started them does
	// (Pdeathsig): it must be one that lasts.
	runtime.LockOSThread()
	if len(os.Args) > 1 && os.Args[1] == "serving" {
		fail(servingMain(os.Args[2:]))
		return
	}
	var (
		s             = settings{began: time.Now()}
		rows, peers   string
		results       string
		enforce, list bool
		wait          time.Duration
	)
	server, client := cores()
	flag.StringVar(&s.programs, "programs", "bin", "where the peers' programs are")
	flag.IntVar(&s.rounds, "rounds", 0, "how often each peer runs (default 7, with -short 3)")
	flag.StringVar(&rows, "rows", "", "only rows whose name matches this expression")
	flag.StringVar(&peers, "peers", "", "only peers whose name matches this expression")
	flag.StringVar(&s.serverCore, "server-core", server, "pin servers to this core; empty: do not")
	flag.StringVar(&s.clientCore, "client-core", client, "pin clients to this core; empty: do not")
	flag.StringVar(&s.cipher, "cipher", "TLS_AES_128_GCM_SHA256", "TLS 1.3 cipher suite of nginx")
	flag.BoolVar(&s.sizes.short, "short", false, "a quick look: fewer rounds and requests, and not the rows that take long")
	flag.IntVar(&s.sizes.requests, "requests", 0, "small requests a run, of which the other rows' numbers are parts (default 40000, with -short 20000)")
	flag.DurationVar(&s.sizes.after, "after", time.Second, "when the slow server answers, if all are in flight by then")
	flag.Float64Var(&s.quiet, "quiet", 0.1, "repeat a run during which other programs had more than this share of the machine, or the core was slower by as much")
	flag.DurationVar(&wait, "patience", 2*time.Minute, "how long all repetitions and waits for quiet together may take (with -short a third)")
	flag.StringVar(&results, "results", "", "write README.md and a chart for each row into this folder")
	flag.BoolVar(&enforce, "enforce", false, "fail when a bound is missed")
	flag.BoolVar(&list, "list", false, "name the rows and their peers, and end")
	flag.Parse()
	err := s.complete(rows, peers, wait)
	switch {
	case err != nil:
	case list:
		s.list()
	default:
		err = run(s, results, enforce)
	}
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// complete fills in what depends on other settings.
func (s *settings) complete(rows, peers string, wait time.Duration) (err error) {
	if s.rows, err = regexp.Compile(rows); err != nil {
		return err
	}
	if s.peers, err = regexp.Compile(peers); err != nil {
		return err
	}
	rounds, requests := 7, 40_000
	if s.sizes.short {
		rounds, requests, wait = 3, 20_000, wait/3
	}
	if s.rounds == 0 {
		s.rounds = rounds
	}
	if s.sizes.requests == 0 {
		s.sizes.requests = requests
	}
	if s.rounds < 1 || s.sizes.requests < 1000 {
		return errors.New("at least one round, and a thousand requests, or some rows would have none")
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return err
	}
	s.sizes.files = int(min(files.Max, 1<<20))
	runs := 0
	for _, r := range s.selected() {
		runs += len(r.peers) * s.roundsOf(r)
	}
	s.patience = newPatience(wait, runs)
	return nil
}

// selected are the rows to measure, with those of their peers that can be.
func (s *settings) selected() (all []row) {
	for _, r := range rows(s.sizes) {
		if r.protocol == h3 && !exists(filepath.Join(s.programs, "quic")) {
			continue
		}
		if r = r.only(*s); s.rows.MatchString(r.name) && len(r.peers) > 0 {
			all = append(all, r)
		}
	}
	return all
}

func (s *settings) list() {
	for _, r := range s.selected() {
		fmt.Printf("%-20s %s\n", r.name, r.title)
		for _, p := range r.peers {
			fmt.Printf("%20s %s\n", "", r.command(p))
		}
	}
}

func run(s settings, results string, enforce bool) error {
	if results != "" {
		if err := os.MkdirAll(results, 0o755); err != nil {
			return err
		}
	}
	l, err := openLab(s)
	if err != nil {
		return err
	}
	defer l.close()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		l.close()
		os.Exit(130)
	}()
	s.describe(os.Stdout)
	out := report{dir: results}
	for _, r := range s.selected() {
		measured, err := s.measure(l, r)
		if err != nil {
			return err
		}
		if err := out.add(r, measured); err != nil {
			return err
		}
	}
	if err := out.write(s); err != nil {
		return err
	}
	if enforce && out.missed() {
		return errors.New("a bound was missed")
	}
	return nil
}

// cores picks a core each for server and client, where there are two.
func cores() (server, client string) {
	if _, err := exec.LookPath("taskset"); err != nil || runtime.NumCPU() < 2 {
		return "", ""
	}
	return "0", strconv.Itoa(1)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
