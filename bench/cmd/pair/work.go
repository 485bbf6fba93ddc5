package main

import (
	"runtime"
	"sync"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
)

// count is what the measured part of a work has done.
type count struct {
	latencies result.Latencies
	done      int64
	bytes     int64
}

// repeated has every caller do f again and again: first to warm up, then measured.
func (o options) repeated(res *result.Result, fs []func() (bytes int, err error)) error {
	var warm, c count
	if err := o.during(o.lasts/3, fs, &warm); err != nil {
		return err
	}
	return o.measured(res, &c, func() error { return o.during(o.lasts, fs, &c) })
}

// measured notes what f costs, and what it has counted in c.
func (o options) measured(res *result.Result, c *count, f func() error) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := result.Now()
	if err := o.profiled(f); err != nil {
		return err
	}
	res.Since(start)
	runtime.ReadMemStats(&after)
	res.Requests, res.Bytes = c.done, c.bytes
	res.Mallocs = float64(after.Mallocs - before.Mallocs)
	res.AllocBytes = float64(after.TotalAlloc - before.TotalAlloc)
	res.P50, res.P99 = c.latencies.Percentile(0.5), c.latencies.Percentile(0.99)
	return nil
}

// during runs fs beside each other for so long.
func (o options) during(lasts time.Duration, fs []func() (int, error), c *count) error {
	var (
		mu     sync.Mutex
		failed error
		all    sync.WaitGroup
	)
	end := time.Now().Add(lasts)
	for _, f := range fs {
		all.Go(func() {
			var done, bytes int64
			var err error
			for now := time.Now(); err == nil && now.Before(end); {
				var n int
				n, err = f()
				then := time.Now()
				c.latencies.Add(then.Sub(now))
				now = then
				done++
				bytes += int64(n)
			}
			mu.Lock()
			defer mu.Unlock()
			c.done += done
			c.bytes += bytes
			if failed == nil {
				failed = err
			}
		})
	}
	all.Wait()
	return failed
}

func echo(o options, c carrier, res *result.Result) error {
	fs, err := callers(o.callers, o.size, c)
	if err != nil {
		return err
	}
	return o.repeated(res, fs)
}

func callers(n, size int, c carrier) (fs []func() (int, error), err error) {
	for range n {
		call, err := c.caller()
		if err != nil {
			return nil, err
		}
		req := make([]byte, size)
		fs = append(fs, func() (int, error) { return size, call(req) })
	}
	return fs, nil
}

func streams(o options, c carrier, res *result.Result) error {
	var fs []func() (int, error)
	for range o.callers {
		read, err := c.reader()
		if err != nil {
			return err
		}
		fs = append(fs, func() (int, error) { return o.messages * o.size, read(o.messages, o.size) })
	}
	return o.repeated(res, fs)
}

func flood(o options, c carrier, res *result.Result) error {
	message := make([]byte, o.size)
	once := func(lasts time.Duration, n *count) error {
		end := time.Now().Add(lasts)
		return c.flood(message, func() bool {
			if !time.Now().Before(end) {
				return false
			}
			n.done++
			n.bytes += int64(o.size)
			return true
		})
	}
	var warm, n count
	if err := once(o.lasts/3, &warm); err != nil {
		return err
	}
	return o.measured(res, &n, func() error { return once(o.lasts, &n) })
}

const (
	bulkCalls = 4
	bulkSize  = 8 << 20
)

// beside makes small calls, one at a time and 1 ms apart, beside large ones: the times are
// of the small ones, the bytes of the large ones.
func beside(o options, c carrier, res *result.Result) error {
	small, err := callers(1, o.size, c)
	if err != nil {
		return err
	}
	large, err := callers(bulkCalls, bulkSize, c)
	if err != nil {
		return err
	}
	var times, sizes count
	call := small[0]
	several := func(lasts time.Duration) error {
		times, sizes = count{}, count{}
		end := time.Now().Add(lasts)
		failed := make(chan error, 1)
		go func() {
			for time.Now().Before(end) {
				now := time.Now()
				if _, err := call(); err != nil {
					failed <- err
					return
				}
				times.latencies.Add(time.Since(now))
				times.done++
				time.Sleep(time.Millisecond)
			}
			failed <- nil
		}()
		err := o.during(lasts, large, &sizes)
		if e := <-failed; err == nil {
			err = e
		}
		return err
	}
	if err := several(o.lasts / 3); err != nil {
		return err
	}
	if err := o.measured(res, &times, func() error { return several(o.lasts) }); err != nil {
		return err
	}
	res.Bytes = sizes.bytes
	return nil
}
