package grid

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkRequest(b *testing.B) {
	poison.Store(false)
	defer poison.Store(true)
	for _, c := range []struct{ size, callers int }{{32, 1}, {512, 1}, {512, 16}, {512, 128}, {64 << 10, 16}, {1 << 20, 1}} {
		b.Run(fmt.Sprintf("%dx%d", c.size, c.callers), func(b *testing.B) {
			x, y := tcpPair(b, nil)
			conn := x.to(y)
			req := make([]byte, c.size)
			ctx, cancel := context.WithTimeout(context.Background(), patience*10)
			defer cancel()
			b.ReportAllocs()
			b.SetBytes(int64(c.size))
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range c.callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						buf, err := conn.Do(ctx, echoID, req)
						if err != nil {
							b.Error(err)
							return
						}
						buf.Release()
					}
				})
			}
			wg.Wait()
			b.StopTimer()
		})
	}
}

func BenchmarkStream(b *testing.B) {
	poison.Store(false)
	defer poison.Store(true)
	const callers = 16
	x, y := tcpPair(b, nil)
	conn := x.to(y)
	if err := y.HandleStream(firstFree, func(ctx context.Context, s *ServerStream) error {
		for range 10 {
			if err := s.Send(ctx, s.Payload()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	msg := make([]byte, 512)
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if err := f(); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
	ctx := context.Background()
	run("responses", func() error {
		st, err := conn.OpenStream(ctx, firstFree, msg)
		if err != nil {
			return err
		}
		for {
			m, err := st.Recv(ctx)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			m.Release()
		}
	})
	run("channels", func() error {
		st, err := conn.NewStream(ctx, firstFree, msg)
		if err != nil {
			return err
		}
		for r := range st.Responses {
			if r.Err != nil {
				return r.Err
			}
		}
		return nil
	})
	run("twoway", func() error {
		st, err := conn.OpenStream(ctx, pingPongID, nil)
		if err != nil {
			return err
		}
		for range 10 {
			if err := st.Send(ctx, msg); err != nil {
				return err
			}
			m, err := st.Recv(ctx)
			if err != nil {
				return err
			}
			m.Release()
		}
		_ = st.CloseSend()
		_, err = st.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		return err
	})
}

func BenchmarkFlood(b *testing.B) {
	poison.Store(false)
	defer poison.Store(true)
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x, y := tcpPair(b, nil)
			st, err := x.to(y).OpenStream(context.Background(), sinkID, nil)
			if err != nil {
				b.Fatal(err)
			}
			msg := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := st.Send(context.Background(), msg); err != nil {
					b.Fatal(err)
				}
			}
			_ = st.CloseSend()
			_, _ = st.Recv(context.Background())
		})
	}
}

// Small calls, one at a time, beside four large ones: what matters is how long the slowest take.
func BenchmarkSmallBesideLarge(b *testing.B) {
	poison.Store(false)
	defer poison.Store(true)
	x, y := tcpPair(b, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var moved atomic.Int64
	for range 4 {
		wg.Go(func() {
			large := make([]byte, 8<<20)
			for ctx.Err() == nil {
				buf, err := x.to(y).Do(ctx, echoID, large)
				if err == nil {
					moved.Add(2 * int64(len(large)))
					buf.Release()
				}
			}
		})
	}
	var times []time.Duration
	began := time.Now()
	for b.Loop() {
		start := time.Now()
		if _, err := x.to(y).Request(context.Background(), echoID, make([]byte, 64)); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	cancel()
	wg.Wait()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us")
	b.ReportMetric(float64(moved.Load())/1e6/took.Seconds(), "MB/s")
}
