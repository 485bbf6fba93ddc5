package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/grid"
)

// What the servers do for each other.
var (
	greet = grid.Single[string, string](1)
	count = grid.Streaming[struct{}, struct{}, tick](2, grid.JSON())
)

type tick struct{ N int }

// report is what a server says about itself, several times a second.
type report struct {
	Name  string
	Addr  string
	Links []link
}

// link is what a server has from one of the others.
type link struct {
	Peer      string
	State     string
	Calls     int64 // answered
	Failed    int64
	Ticks     int64 // messages of streams
	RTT       time.Duration
	Opened    uint64 // connections
	LastError string
}

// node is one server. It reads from in who the others are, and ends when in does.
func node(ctx context.Context, name, addr string, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	m, err := grid.NewManager(grid.Config{Self: name}) //nolint:contextcheck // it has its own, until Shutdown
	if err != nil {
		return err
	}
	err = errors.Join(
		greet.Register(m, func(_ context.Context, c *grid.Call, who string) (string, error) {
			return fmt.Sprintf("%s, here is %s", who, name), nil
		}),
		count.Register(m, func(ctx context.Context, s *grid.TypedServerStream[struct{}, tick], _ struct{}) error {
			for i := range 100 {
				if err := s.Send(ctx, tick{i}); err != nil {
					return err
				}
			}
			return nil
		}),
	)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: 5 * time.Second}
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })

	n := &links{m: m}
	work.Go(func() {
		n.report(ctx, report{Name: name, Addr: listener.Addr().String()}, json.NewEncoder(out))
	})
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var p grid.Peer
		if _, err := fmt.Sscan(lines.Text(), &p.Name, &p.Addr); err != nil {
			return err
		}
		l, err := n.add(p)
		if err != nil {
			return err
		}
		for range 2 {
			work.Go(func() { l.call(ctx, name) })
		}
		work.Go(func() { l.stream(ctx) })
	}
	stop()
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = m.Shutdown(bye)
	_ = server.Close()
	work.Wait()
	return nil
}

// links are the other servers.
type links struct {
	m *grid.Manager

	mu  sync.Mutex
	all []*counters
}

// counters is one of them.
type counters struct {
	conn                 *grid.Connection
	calls, failed, ticks atomic.Int64
}

func (n *links) add(p grid.Peer) (*counters, error) {
	if err := n.m.AddPeer(p); err != nil {
		return nil, err
	}
	l := &counters{conn: n.m.Connection(p.Name)}
	n.mu.Lock()
	n.all = append(n.all, l)
	n.mu.Unlock()
	return l, nil
}

// call makes calls until ctx ends.
func (l *counters) call(ctx context.Context, me string) {
	for ctx.Err() == nil {
		limit, stop := context.WithTimeout(ctx, time.Second)
		if _, err := greet.Call(limit, l.conn, me); err != nil {
			l.failed.Add(1)
		} else {
			l.calls.Add(1)
		}
		stop()
		sleep(ctx, 5*time.Millisecond)
	}
}

// stream reads one stream after the other until ctx ends.
func (l *counters) stream(ctx context.Context) {
	for ctx.Err() == nil {
		for _, err := range count.All(ctx, l.conn, struct{}{}) {
			if err != nil {
				l.failed.Add(1)
			} else {
				l.ticks.Add(1)
			}
		}
		sleep(ctx, 20*time.Millisecond)
	}
}

// report says how things are until ctx ends.
func (n *links) report(ctx context.Context, r report, out *json.Encoder) {
	for ctx.Err() == nil {
		states := n.m.Snapshot().Connections
		r.Links = nil
		n.mu.Lock()
		for _, l := range n.all {
			line := link{Peer: l.conn.Name(), Calls: l.calls.Load(), Failed: l.failed.Load(), Ticks: l.ticks.Load()}
			for _, s := range states {
				if s.Name == line.Peer {
					line.State, line.RTT, line.Opened = s.State.String(), s.RTT, s.Opened
					if s.LastError != nil {
						line.LastError = s.LastError.Error()
					}
				}
			}
			r.Links = append(r.Links, line)
		}
		n.mu.Unlock()
		if out.Encode(r) != nil {
			return
		}
		sleep(ctx, 50*time.Millisecond)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
