package main

import "fmt"

// metric is a figure of a run.
type metric struct {
	name   string
	of     func(sample) float64 // 0: not known
	higher bool                 // more is better
}

var (
	cpuPerRequest = metric{name: "CPU µs/request", of: func(s sample) float64 { return s.CPU() * 1e6 / float64(s.Requests) }}
	userPart      = metric{name: "user µs", of: func(s sample) float64 { return s.User * 1e6 / float64(s.Requests) }}
	sysPart       = metric{name: "sys µs", of: func(s sample) float64 { return s.Sys * 1e6 / float64(s.Requests) }}
	perSecond     = metric{name: "requests/s", of: func(s sample) float64 { return float64(s.Requests) / s.Wall }, higher: true}
	handshakes    = metric{name: "handshakes/s", of: perSecond.of, higher: true}
	median50      = metric{name: "p50 µs", of: func(s sample) float64 { return s.P50 }}
	tail99        = metric{name: "p99 µs", of: func(s sample) float64 { return s.P99 }}
	allocations   = metric{name: "allocations/request", of: func(s sample) float64 { return s.Mallocs / float64(s.Requests) }}

	allocatedBytes = metric{name: "bytes allocated/request", of: func(s sample) float64 { return s.AllocBytes / float64(s.Requests) }}

	cpuSeconds  = metric{name: "CPU s", of: func(s sample) float64 { return s.CPU() }}
	userSeconds = metric{name: "user s", of: func(s sample) float64 { return s.User }}
	sysSeconds  = metric{name: "sys s", of: func(s sample) float64 { return s.Sys }}
	gigabytes   = metric{name: "GB/s", of: func(s sample) float64 { return float64(s.Bytes) / 1e9 / s.Wall }, higher: true}

	peakMemory = metric{name: "peak MiB", of: func(s sample) float64 { return float64(s.PeakRSSKB) / 1024 }}
	goroutines = metric{name: "goroutines", of: func(s sample) float64 { return float64(s.Goroutine) }}
	threads    = metric{name: "threads", of: func(s sample) float64 { return float64(s.threads) }}

	idleMemory     = metric{name: "KiB/idle connection", of: func(s sample) float64 { return s.IdleBytes / 1024 }}
	openMemory     = metric{name: "KiB/open stream", of: idleMemory.of}
	goroutinesEach = metric{name: "goroutines of each", of: func(s sample) float64 { return s.Each }}

	wallMS     = metric{name: "wall ms", of: func(s sample) float64 { return s.Wall * 1e3 }}
	cpuMS      = metric{name: "CPU ms", of: func(s sample) float64 { return s.CPU() * 1e3 }}
	processMS  = metric{name: "process CPU ms", of: func(s sample) float64 { return s.process * 1e3 }}
	lifetimeMS = metric{name: "process wall ms", of: func(s sample) float64 { return s.lifetime * 1e3 }}
	resumption = metric{name: "resumed %", of: func(s sample) float64 { return s.resumed * 100 }}
)

// number has three digits that count.
func number(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
