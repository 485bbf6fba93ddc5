package grid

import (
	"context"
	"testing"
)

// BenchmarkContext is what the context of a handler costs who does not look at it, and who waits for its end.
func BenchmarkContext(b *testing.B) {
	clock := newClock()
	until := clock.now() + int64(patience)
	b.Run("unused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := callContext{until: until, clock: clock, base: context.Background()}
			c.end(context.Canceled)
		}
	})
	b.Run("done", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := callContext{until: until, clock: clock, base: context.Background()}
			_ = c.Done()
			c.end(context.Canceled)
		}
	})
}

// BenchmarkBuf takes a buffer and gives it back, beside others.
func BenchmarkBuf(b *testing.B) {
	poison.Store(false)
	defer poison.Store(true)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			newBuf(512).Release()
		}
	})
}

// BenchmarkSlots takes ids and gives them back.
func BenchmarkSlots(b *testing.B) {
	var s slots
	b.ReportAllocs()
	for b.Loop() {
		s.put(s.take())
	}
}

// BenchmarkTyped is a call with values instead of bytes.
func BenchmarkTyped(b *testing.B) {
	poison.Store(false)
	defer poison.Store(true)
	x, y := tcpPair(b, nil)
	route := Single[string, string](firstFree)
	if err := route.Register(y.Manager, func(_ context.Context, _ *Call, req string) (string, error) { return req, nil }); err != nil {
		b.Fatal(err)
	}
	conn := x.to(y)
	ctx, cancel := context.WithTimeout(context.Background(), patience*10)
	defer cancel()
	b.ReportAllocs()
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := route.Call(ctx, conn, "a request of some bytes"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
