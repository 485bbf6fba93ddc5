package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
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
	process  float64 // seconds of CPU of the whole process
	lifetime float64 // seconds from its start to its end
	threads  int     // the most that were seen
	resumed  float64 // share of TLS sessions that the server resumed
	others   float64 // share of the machine that other programs had meanwhile
	slow     float64 // by how much the core was slower before or after than at its best
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
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return res, err
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	most := watchThreads(cmd.Process.Pid)
	err = cmd.Wait()
	res.lifetime = time.Since(start).Seconds()
	res.threads = most()
	if !late.Stop() {
		err = fmt.Errorf("not done after 2 minutes")
	}
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &res.Result)
	}
	if err == nil {
		var after load
		after, err = loadNow(server)
		used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		res.process = used.Seconds()
		res.others = others(before, after, used)
		res.slow = max(res.slow, slowness(core))
	}
	if err != nil {
		return res, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	return res, nil
}

// watchThreads looks four times a second how many threads a process has, which
// disturbs it little. The function that it returns ends that and tells the most.
func watchThreads(pid int) func() int {
	stop, most := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for every := time.NewTicker(250 * time.Millisecond); ; {
			select {
			case <-every.C:
				b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
				if _, rest, ok := strings.Cut(string(b), "Threads:"); ok {
					now, _ := strconv.Atoi(strings.Fields(rest)[0])
					n = max(n, now)
				}
			case <-stop:
				every.Stop()
				most <- n
				return
			}
		}
	}()
	return func() int {
		close(stop)
		return <-most
	}
}
