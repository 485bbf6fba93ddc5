package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
)

// pinned is a command that runs on one core, or on any if core is empty, and
// that does not outlive us.
func pinned(core, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	if core != "" {
		cmd = exec.Command("taskset", append([]string{"-c", core, name}, args...)...)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	return cmd
}

// sample is one run of one peer.
type sample struct {
	result.Result
	others float64 // share of the machine that other programs had meanwhile
	slow   float64 // by how much the core was slower before or after than at its best
}

// noise says how far to mistrust the sample.
func (s sample) noise() float64 { return max(s.others, s.slow) }

// measure runs one peer once, against the server with the given process id.
func measure(core string, server int, program string, args []string) (sample, error) {
	var (
		res            sample
		stdout, stderr bytes.Buffer
	)
	res.slow = slowness(core)
	before, err := loadNow(server)
	if err != nil {
		return res, err
	}
	cmd := pinned(core, program, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	late := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	err = cmd.Run()
	if !late.Stop() {
		err = fmt.Errorf("not done after 5 minutes")
	}
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &res.Result)
	}
	if err == nil {
		var after load
		after, err = loadNow(server)
		res.others = others(before, after, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		res.slow = max(res.slow, slowness(core))
	}
	if err != nil {
		return res, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return res, nil
}

// slow is a running slow server.
type slow struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

func startSlow(core, program string, z sizes) (*slow, error) {
	cmd := pinned(core, program, "-after", z.after.String(), "-crowd", strconv.Itoa(z.inFlight))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the slow server: %w", err)
	}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		return nil, fmt.Errorf("starting the slow server: %w", err)
	}
	return &slow{strings.TrimSpace(addr), cmd, stdin}, nil
}

// peak is the largest number of requests that waited at once.
func (s *slow) peak() (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/peak", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = fmt.Fscan(resp.Body, &n)
	return n, err
}

func (s *slow) stop() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
}
