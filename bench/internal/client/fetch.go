package client

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// fetch makes the row's requests and returns how many bytes of bodies came, or
// went if there are uploads.
func (r row) fetch(peer Peer, inFlight int) (int64, error) {
	if r.async {
		s, ok := peer.(Starter)
		if !ok {
			return 0, fmt.Errorf("this peer needs a goroutine for each request")
		}
		return r.fetchAsync(s, inFlight)
	}
	var (
		started, bytes atomic.Int64
		failed         atomic.Pointer[error]
		wg             sync.WaitGroup
	)
	for range min(int64(inFlight), r.requests) {
		wg.Go(func() {
			for started.Add(1) <= r.requests && failed.Load() == nil {
				begin := time.Now()
				n, err := r.one(peer)
				r.latencies.Add(time.Since(begin))
				bytes.Add(n)
				if err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return bytes.Load(), nil
}

// one makes a request from beginning to end.
func (r row) one(peer Peer) (int64, error) {
	if r.upload == 0 {
		status, body, err := peer.Get(r.url)
		if err != nil {
			return 0, err
		}
		return r.discard(status, body)
	}
	p, ok := peer.(Putter)
	if !ok {
		return 0, fmt.Errorf("this peer sends no bodies")
	}
	status, body, err := p.Put(r.url, &zeros{left: r.upload}, r.upload)
	if err != nil {
		return 0, err
	}
	_, err = r.discard(status, body)
	return r.upload, err
}

// fetchAsync starts as many as may run, waits for all of them, and so on.
func (r row) fetchAsync(peer Starter, inFlight int) (int64, error) {
	type request struct {
		begin time.Time
		wait  func() (int, io.ReadCloser, error)
	}
	window := make([]request, 0, inFlight)
	var started, ended, bytes int64
	for ended < r.requests {
		for started < r.requests && len(window) < inFlight {
			window = append(window, request{time.Now(), peer.Start(r.url)})
			started++
		}
		for _, q := range window {
			status, body, err := q.wait()
			if err != nil {
				return 0, err
			}
			got, err := r.discard(status, body)
			if err != nil {
				return 0, err
			}
			r.latencies.Add(time.Since(q.begin))
			bytes += got
			ended++
		}
		window = window[:0]
	}
	return bytes, nil
}
