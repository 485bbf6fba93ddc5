// Package result is what one measured process reports: the form that the pure C
// peer prints too.
package result

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Result is the outcome of one run of one peer, printed as one line of JSON.
type Result struct {
	Requests  int64   `json:"requests"`
	Bytes     int64   `json:"bytes"`       // of response bodies
	Wall      float64 `json:"wall"`        // seconds, of the measured part
	User      float64 `json:"user"`        // seconds of CPU in user mode, same part, all threads
	Sys       float64 `json:"sys"`         // seconds of CPU in the kernel
	PeakRSSKB int64   `json:"peak_rss_kb"` // VmHWM of the process, start to end
	P50       float64 `json:"p50"`         // µs from the start of a request to the end of its body
	P99       float64 `json:"p99"`
	Mallocs   float64 `json:"mallocs,omitempty"`    // Go's allocations in the measured part; 0: not known
	Goroutine int     `json:"goroutines,omitempty"` // the most that were seen; 0: not watched
	IdleBytes float64 `json:"idle_bytes,omitempty"` // what one takes of what is idle
	// Of pairs: the bytes of Go's allocations in the measured part, and the goroutines of one of what is idle.
	AllocBytes float64 `json:"alloc_bytes,omitempty"`
	Each       float64 `json:"each,omitempty"`
	Version    string  `json:"version"`
}

// CPU is user and kernel time in seconds.
func (r Result) CPU() float64 { return r.User + r.Sys }

// Mark is a moment in a process' life.
type Mark struct {
	at        time.Time
	user, sys time.Duration
}

// Now reads the clock and this process' CPU time.
func Now() Mark {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no way to fail with these arguments
	}
	return Mark{time.Now(), time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())}
}

// Since fills in the times between m and now.
func (r *Result) Since(m Mark) {
	n := Now()
	r.Wall = n.at.Sub(m.at).Seconds()
	r.User = (n.user - m.user).Seconds()
	r.Sys = (n.sys - m.sys).Seconds()
}

// PeakRSSKB reads the largest resident size that this process has had, in KiB.
func PeakRSSKB() (int64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var kb int64
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			_, err := fmt.Sscanf(rest, "%d kB", &kb)
			return kb, err
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status: %v", lines.Err())
}
