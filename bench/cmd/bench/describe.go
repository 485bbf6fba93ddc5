package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// describe says what was measured, when, how and on what.
func (s settings) describe(w io.Writer) {
	flags := strings.Join(os.Args[1:], " ")
	flags = strings.TrimSpace(strings.TrimPrefix(flags, "-programs bin")) // run.sh's
	fmt.Fprintf(w, "`%s`, %d rounds, begun %s\n\n", strings.TrimSpace("bench/run.sh "+flags), s.rounds, s.began.UTC().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(w, "- machine: %s, %d cores (servers on %s, clients on %s), kernel %s\n",
		processor(), runtime.NumCPU(), orAny(s.serverCore), orAny(s.clientCore), output("uname", "-r"))
	fmt.Fprintf(w, "- versions: %s, libcurl %s, %s, %s\n", runtime.Version(), s.libcurl(), output("nginx", "-v"), strings.Join(s.modules(), ", "))
	if tools := s.tools(); len(tools) > 0 {
		fmt.Fprintf(w, "- of the server's rows: %s\n", strings.Join(tools, ", "))
	}
	fmt.Fprintf(w, "- TLS: %s for nginx; Go's own choice for servers in Go\n", s.cipher)
	if took := time.Since(s.began).Round(time.Second); took > 10*time.Second {
		fmt.Fprintf(w, "- duration: %s\n", took)
	}
	fmt.Fprintln(w)
}

func orAny(core string) string {
	if core == "" {
		return "any"
	}
	return core
}

// libcurl is its version, and those of the libraries that matter here, as it tells them.
func (s settings) libcurl() string {
	all := strings.Fields(strings.TrimPrefix(output(filepath.Join(s.programs, "cpeer"), "--version"), "libcurl/"))
	kept := all[:min(2, len(all))]
	for _, part := range all[len(kept):] {
		for _, name := range []string{"nghttp2/", "ngtcp2/", "nghttp3/"} {
			if strings.HasPrefix(part, name) {
				kept = append(kept, part)
			}
		}
	}
	return strings.Join(kept, " ")
}

// modules are the versions of the peers that are Go modules.
func (s settings) modules() (all []string) {
	wanted := map[string]string{
		"client-fasthttp": "github.com/valyala/fasthttp",
		"client-resty":    "github.com/go-resty/resty/v2",
		"client-gocurl":   "github.com/andelf/go-curl",
		"client-quicgo":   "github.com/quic-go/quic-go",
		"pair":            "google.golang.org/grpc",
	}
	for _, name := range []string{"client-fasthttp", "client-resty", "client-gocurl", "client-quicgo", "pair"} {
		info, err := buildinfo.ReadFile(filepath.Join(s.programs, name))
		if err != nil {
			continue
		}
		for _, d := range info.Deps {
			if d.Path == wanted[name] {
				all = append(all, path.Base(strings.TrimSuffix(d.Path, "/v2"))+" "+d.Version)
			}
		}
	}
	return append(all, strings.Join(strings.Fields(output("curl", "--version"))[:2], " "))
}

// tools are the versions of the clients of servers, and of who is in front, if any row has them.
func (s settings) tools() (all []string) {
	version := map[string]string{"wrk": "-v", "h2load": "--version", "haproxy": "-v"}
	seen := map[string]bool{"nginx": true} // which is told of anyway
	for _, r := range s.selected() {
		for _, name := range r.work.needs() {
			if path, err := look(name); err == nil && !seen[name] {
				seen[name] = true
				// wrk tells its version and calls that an error.
				b, _ := exec.Command(path, version[name]).CombinedOutput()
				first, _, _ := strings.Cut(string(b), "\n")
				all = append(all, strings.Join(strings.Fields(first)[:min(3, len(strings.Fields(first)))], " "))
			}
		}
	}
	return all
}

// command is how a peer was called.
func (r row) command(p peer) string {
	args := append([]string{p.program}, p.args...)
	return strings.Join(append(args, r.arguments(r.protocol.scheme()+"SERVER", "ca.pem")...), " ")
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
