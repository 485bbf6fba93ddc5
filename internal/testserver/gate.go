package testserver

import (
	"context"
	"io"
	"time"
)

// Gate holds servers and readers back until the test lets them go on, one by
// one or all for ever.
type Gate struct {
	watch   watch
	passes  int
	open    bool
	arrived int
	opened  chan struct{}
}

// NewGate makes a gate that is shut.
func NewGate() *Gate { return &Gate{opened: make(chan struct{})} }

// Let lets n more through.
func (g *Gate) Let(n int) { g.watch.change(func() { g.passes += n }) }

// Open lets everybody through from now on.
func (g *Gate) Open() {
	g.watch.change(func() {
		if !g.open {
			g.open = true
			close(g.opened)
		}
	})
}

// Opened is closed by Open; for Hold of a [Reply].
func (g *Gate) Opened() <-chan struct{} { return g.opened }

// Wait waits for its pass and takes it, or gives the error of a context that
// ended first.
func (g *Gate) Wait(ctx context.Context) error {
	g.watch.change(func() { g.arrived++ })
	return g.watch.until(ctx, func() bool {
		if g.open {
			return true
		}
		if g.passes == 0 {
			return false
		}
		g.passes--
		return true
	})
}

// wait is Wait for those who have a channel rather than a context.
func (g *Gate) wait(stop <-chan struct{}) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return g.Wait(ctx)
}

// Arrived is how many have come to the gate so far, passed or not.
func (g *Gate) Arrived() (n int) {
	g.watch.read(func() { n = g.arrived })
	return n
}

// WaitArrived waits until n have come to the gate, and tells whether that
// happened within d.
func (g *Gate) WaitArrived(n int, d time.Duration) bool {
	return g.watch.within(d, func() bool { return g.arrived >= n })
}

// GatedReader gives at most size bytes of r for each pass of gate. It never ends
// by itself while the gate is shut: ctx ends its waiting.
func GatedReader(ctx context.Context, gate *Gate, r io.Reader, size int) io.Reader {
	return &gatedReader{ctx, gate, r, size}
}

type gatedReader struct {
	ctx  context.Context
	gate *Gate
	r    io.Reader
	size int
}

func (g *gatedReader) Read(b []byte) (int, error) {
	if err := g.gate.Wait(g.ctx); err != nil {
		return 0, err
	}
	return g.r.Read(b[:min(len(b), g.size)])
}
