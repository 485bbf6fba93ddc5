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

// measure runs one peer once.
func measure(core, program string, args []string) (result.Result, error) {
	var (
		res            result.Result
		stdout, stderr bytes.Buffer
	)
	cmd := pinned(core, program, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	late := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Run()
	if !late.Stop() {
		err = fmt.Errorf("not done after 5 minutes")
	}
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &res)
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

func startSlow(core, program string, after time.Duration) (*slow, error) {
	cmd := pinned(core, program, "-after", after.String())
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
