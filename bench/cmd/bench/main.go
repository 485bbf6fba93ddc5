// Command bench runs the benchmark: servers on one core, one client process at
// a time on another, peers by turns, medians and ratios as Markdown.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
	patience               time.Duration
}

func main() {
	// Children are told to end when the thread that started them does
	// (Pdeathsig): it must be one that lasts.
	runtime.LockOSThread()
	var (
		s           settings
		only, peers string
		out         string
		enforce     bool
	)
	server, client := cores()
	flag.StringVar(&s.programs, "programs", "bin", "where the peers' programs are")
	flag.IntVar(&s.rounds, "rounds", 7, "how often each peer runs")
	flag.StringVar(&only, "rows", "", "only rows whose name matches this expression")
	flag.StringVar(&peers, "peers", "", "only peers whose name matches this expression")
	flag.StringVar(&s.serverCore, "server-core", server, "pin servers to this core; empty: do not")
	flag.StringVar(&s.clientCore, "client-core", client, "pin clients to this core; empty: do not")
	flag.StringVar(&s.cipher, "cipher", "TLS_AES_128_GCM_SHA256", "TLS 1.3 cipher suite of the server")
	flag.IntVar(&s.sizes.requests, "requests", 100_000, "small requests a run")
	flag.IntVar(&s.sizes.inFlight, "inflight", 5000, "requests in flight against the slow server")
	flag.DurationVar(&s.sizes.after, "after", 3*time.Second, "when the slow server answers, if all are in flight by then")
	flag.Float64Var(&s.quiet, "quiet", 0.1, "repeat a run during which other programs had more than this share of the machine, or the core was slower by as much")
	flag.DurationVar(&s.patience, "patience", 10*time.Second, "how long to try for a quiet run, before the quietest is taken")
	flag.StringVar(&out, "o", "", "write the tables to this file too")
	flag.BoolVar(&enforce, "enforce", false, "fail when a bound is missed")
	flag.Parse()
	if err := run(s, only, peers, out, enforce); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(s settings, only, peers, out string, enforce bool) error {
	onlyRows, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	onlyPeers, err := regexp.Compile(peers)
	if err != nil {
		return err
	}
	if s.rounds < 1 {
		return errors.New("-rounds must be at least 1")
	}
	n, err := startNginx(s.serverCore, s.cipher)
	if err != nil {
		return err
	}
	defer n.stop()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		n.stop()
		os.Exit(130)
	}()

	var w io.Writer = os.Stdout
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer f.Close()
		w = io.MultiWriter(os.Stdout, f)
	}
	s.describe(w)
	all := true
	for _, r := range rows() {
		if !onlyRows.MatchString(r.name) {
			continue
		}
		r.peers = slices.DeleteFunc(slices.Clone(r.peers), func(p peer) bool {
			_, err := os.Stat(filepath.Join(s.programs, p.program))
			return err != nil || !onlyPeers.MatchString(p.name)
		})
		measured, err := s.measure(n, r)
		if err != nil {
			return err
		}
		if len(measured) > 0 && !r.print(w, measured) {
			all = false
		}
	}
	if enforce && !all {
		return errors.New("a bound was missed")
	}
	return nil
}

// measure lets the peers run by turns, in every other round backwards, so that
// none always follows the same one.
func (s settings) measure(n *nginx, r row) ([]runs, error) {
	measured := make([]runs, len(r.peers))
	for round := range s.rounds {
		for i := range r.peers {
			if round%2 == 1 {
				i = len(r.peers) - 1 - i
			}
			p := r.peers[i]
			progress("%s %d/%d %s", r.name, round+1, s.rounds, p.name)
			res, err := s.once(n, r, p)
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

// progress writes over the last line of a terminal; elsewhere it is silent.
func progress(format string, args ...any) {
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
	}
}

// once runs a peer until a run was quiet, or patience ends.
func (s settings) once(n *nginx, r row, p peer) (best sample, err error) {
	for end := time.Now().Add(s.patience); ; {
		awaitQuiet(s.clientCore, s.quiet, time.Until(end))
		got, err := s.run(n, r, p)
		if err != nil {
			return got, err
		}
		if best.Requests == 0 || got.noise() < best.noise() {
			best = got
		}
		if best.noise() <= s.quiet || time.Now().After(end) {
			return best, nil
		}
	}
}

func (s settings) run(n *nginx, r row, p peer) (sample, error) {
	program, err := filepath.Abs(filepath.Join(s.programs, p.program))
	if err != nil {
		return sample{}, err
	}
	args := append(slices.Clone(p.args), r.args(n, s.sizes)...)
	if !r.slow {
		return measure(s.clientCore, n.cmd.Process.Pid, program, args)
	}
	server, err := startSlow(s.serverCore, filepath.Join(s.programs, "slow"), s.sizes)
	if err != nil {
		return sample{}, err
	}
	defer server.stop()
	args = append(args, "--url", "http://"+server.addr+"/slow")
	res, err := measure(s.clientCore, server.cmd.Process.Pid, program, args)
	if err != nil {
		return res, err
	}
	peak, err := server.peak()
	if err == nil && peak != s.sizes.inFlight {
		err = fmt.Errorf("only %d of %d were in flight at once", peak, s.sizes.inFlight)
	}
	return res, err
}

func (s settings) describe(w io.Writer) {
	fmt.Fprintf(w, "`%s`, %d rounds; %s\n\n", strings.Join(append([]string{"bench"}, os.Args[1:]...), " "),
		s.rounds, time.Now().UTC().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(w, "%s, kernel %s, %d cores (server on %s, client on %s); %s; libcurl %s; %s; %s\n\n",
		processor(), output("uname", "-r"), runtime.NumCPU(), orAny(s.serverCore), orAny(s.clientCore),
		runtime.Version(), output("pkg-config", "--modversion", "libcurl"), output("nginx", "-v"), s.cipher)
}

// cores picks a core each for server and client, where there are two.
func cores() (server, client string) {
	if _, err := exec.LookPath("taskset"); err != nil || runtime.NumCPU() < 2 {
		return "", ""
	}
	return "0", strconv.Itoa(1)
}

func orAny(core string) string {
	if core == "" {
		return "any"
	}
	return core
}

func output(name string, args ...string) string {
	b, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return name + "?"
	}
	return strings.TrimSpace(strings.TrimPrefix(string(b), "nginx version: "))
}

func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
