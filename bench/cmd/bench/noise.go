package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is what the kernel counts CPU time in for user space, on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// load is a moment of the whole machine: how long its cores have been busy, and
// how long the server has been.
type load struct {
	at           time.Time
	busy, server time.Duration
	cores        int
}

func loadNow(servers ...int) (load, error) {
	l := load{at: time.Now()}
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return l, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") || f[0] == "cpu" {
			continue
		}
		l.cores++
		for i, v := range f[1:9] { // user nice system idle iowait irq softirq steal
			if i == 3 || i == 4 {
				continue
			}
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return l, fmt.Errorf("/proc/stat: %w", err)
			}
			l.busy += time.Duration(n) * tick
		}
	}
	for _, pid := range servers {
		l.server += cpuOf(pid)
	}
	return l, nil
}

// others is the share of the machine that neither client nor server used
// between a and b.
func others(a, b load, client time.Duration) float64 {
	all := b.at.Sub(a.at) * time.Duration(b.cores)
	left := b.busy - a.busy - (b.server - a.server) - client
	return max(0, float64(left)/float64(all))
}

// cpuOf is the CPU time of a process and its children, 0 if it is gone.
func cpuOf(pid int) (sum time.Duration) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold anything
	if f := strings.Fields(rest); len(f) > 12 {
		for _, v := range f[11:13] { // utime, stime
			n, _ := strconv.ParseInt(v, 10, 64)
			sum += time.Duration(n) * tick
		}
	}
	b, _ = os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(b)) {
		if n, err := strconv.Atoi(child); err == nil {
			sum += cpuOf(n)
		}
	}
	return sum
}

// awaitQuiet returns when the machine is quiet and the core at its best, or when
// patience ends.
func awaitQuiet(core string, limit float64, patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		a, err := loadNow()
		if err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
		b, err := loadNow()
		if err != nil || others(a, b, 0) <= limit && slowness(core) <= limit {
			return
		}
	}
}
