package main

import (
	"errors"
	"runtime"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
)

// heap is what is alive, and how many goroutines.
func heap() (bytes uint64, goroutines int) {
	var m runtime.MemStats
	for range 3 { // what pools keep goes with the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, runtime.NumGoroutine()
}

// rests notes what n things that do nothing take.
func rests(res *result.Result, n int, begin func() error) error {
	bytes, goroutines := heap()
	start := result.Now()
	if err := begin(); err != nil {
		return err
	}
	// What was needed for the beginning ends by itself.
	time.Sleep(500 * time.Millisecond)
	res.Since(start)
	now, more := heap()
	res.Requests = int64(n)
	res.IdleBytes = float64(now-min(bytes, now)) / float64(n)
	res.Each = float64(more-goroutines) / float64(n)
	return nil
}

// idle opens connections and tells what an end of one takes, without those who listen.
func idle(o options, res *result.Result) error {
	begin := meshes[o.carrier]
	if begin == nil {
		return errors.New("the carrier has no idle connections")
	}
	connect, closeAll, err := begin(o)
	if err == nil {
		err = rests(res, o.callers*(o.callers-1), connect)
	}
	closeAll()
	return err
}

// meshes start so many servers, which connect has connected, each with each.
var meshes = map[string]func(options) (connect func() error, closeAll func(), err error){"grid": meshGrid, "grpc": meshGRPC}

// openStreams tells what both ends of an open stream take together.
func openStreams(o options, c carrier, res *result.Result) error {
	read, err := c.reader()
	if err != nil {
		return err
	}
	if err := read(1, 1); err != nil { // it is warm
		return err
	}
	return rests(res, o.callers, func() error {
		for range o.callers {
			if err := c.open(); err != nil {
				return err
			}
		}
		return nil
	})
}

// reconnect tells how long there is no answer after the connection was reset.
func reconnect(o options, c carrier, res *result.Result) error {
	call, err := c.caller()
	if err != nil {
		return err
	}
	if err := call(make([]byte, o.size)); err != nil {
		return err
	}
	time.Sleep(o.settle)
	start := result.Now()
	if err := c.cut(); err != nil {
		return err
	}
	res.Since(start)
	res.Requests = 1
	return nil
}
