package grid

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/ratmom/ratmom/grid/internal/hello"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

const subprotocol = "ratmom.grid.1"

// freshGrace is DialGrace for the first dial of all.
const freshGrace = 25 * time.Millisecond

// loop keeps the connection: it waits while there is a session, and dials when
// there is none. It ends when the peer is removed.
func (c *Connection) loop() {
	unlabelled() // a handler may have added the peer
	failures, fresh := 0, true
	since := c.m.clock.now()
	for c.ctx.Err() == nil {
		if s := c.current.Load(); s != nil {
			select {
			case <-s.gone:
			case <-c.changed:
			case <-c.ctx.Done():
			}
			if c.current.Load() == nil && time.Duration(c.m.clock.now()-s.since) >= upLongEnough {
				failures = 0
			}
			since, fresh = c.m.clock.now(), false
			continue
		}
		pause := c.m.pause(failures)
		if !c.prefers {
			// This side gives the other one time to dial: little at its start, when the
			// other one may be in one of its pauses because this server was not there.
			grace := c.m.timing.DialGrace
			if fresh {
				grace = min(grace, freshGrace)
			}
			pause = max(pause, grace-time.Duration(c.m.clock.now()-since))
		}
		if pause > 0 && !c.sleep(pause) {
			continue
		}
		fresh = false
		c.setState(Dialing, nil)
		if err := c.dial(); err != nil && c.ctx.Err() == nil {
			failures++
			c.setState(Backoff, err)
			level := slog.LevelDebug
			if failures&(failures-1) == 0 { // the 1st, 2nd, 4th, 8th, ...
				level = slog.LevelWarn
			}
			c.m.log.LogAttrs(c.ctx, level, "grid: cannot connect", slog.String("peer", c.name), slog.String("why", err.Error()), slog.Int("failures", failures))
			continue
		}
		failures++ // until it has worked for a while, the next one is not at once
	}
}

// sleep reports false if a session came up meanwhile, or the loop has to end.
func (c *Connection) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return c.current.Load() == nil
		case <-c.changed:
			if c.current.Load() != nil {
				return false
			}
		case <-c.ctx.Done():
			return false
		}
	}
}

// pause is the time before a dial after so many failures: none before the first,
// then full jitter.
func (m *Manager) pause(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	most := min(m.timing.RetryMin, m.timing.RetryMax)
	for range failures - 1 {
		if most > m.timing.RetryMax/2 {
			most = m.timing.RetryMax
			break
		}
		most *= 2
	}
	return rand.N(most) + 1
}

// dial makes a session.
func (c *Connection) dial() error {
	ctx, cancel := context.WithTimeout(c.ctx, c.m.timing.Handshake)
	defer cancel()
	c.mu.Lock()
	addr := c.addr
	c.mu.Unlock()
	nc, err := c.m.cfg.Dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	s, err := c.open(ctx, nc, addr)
	if err != nil {
		_ = nc.Close()
		return err
	}
	if err := c.install(s); err != nil {
		s.abandon(err)
		return err
	}
	return nil
}

// open makes a session of a connection. The caller closes that after an error.
func (c *Connection) open(ctx context.Context, nc net.Conn, addr string) (*session, error) {
	tune(nc)
	deadline, _ := ctx.Deadline()
	if err := nc.SetDeadline(deadline); err != nil {
		return nil, err
	}
	raw := nc // beneath TLS, too
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	local := c.m.local()
	if c.m.cfg.TLS != nil {
		t := tls.Client(nc, c.m.tlsFor(c.name, addr))
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		state := t.ConnectionState()
		local.TLS, nc = &state, t
	}
	conn, err := ws.Client(ctx, nc, ws.Handshake{
		Host: addr, Path: c.m.cfg.Path, Subprotocol: subprotocol, ZeroMask: local.TLS != nil,
	})
	if err != nil {
		return nil, err
	}
	if err := nc.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // the deadline that its end has set may be gone
		return nil, err
	}
	ours := c.m.params(local.TLS != nil)
	began := c.m.clock.now()
	p, err := hello.Dial(conn, local, c.name, ours.append(nil))
	if err != nil {
		return nil, err
	}
	theirs, err := parseParams(p.Params)
	if err != nil {
		return nil, err
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	s := newSession(c, conn, theirs, instance(p.Instance), true, ours.flags&theirs.flags&wantsSum != 0)
	s.window.RTT(c.m.clock.now()-began, s.since)
	return s, nil
}

// tlsFor is the TLS configuration for one peer. A certificate that has to bear the peer's name need not be for its
// address, too: that may be an IP address, or another one tomorrow.
func (m *Manager) tlsFor(name, addr string) *tls.Config {
	cfg := m.cfg.TLS.Clone()
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		if m.cfg.CertificateNames {
			addr = name
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			host = addr
		}
		cfg.ServerName = strings.Trim(host, "[]")
	}
	cfg.NextProtos = []string{"http/1.1"}
	return cfg
}

func tune(nc net.Conn) {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if t, ok := nc.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true)
		limitUnsent(t)
	}
}

// Why a session is not, or no longer, the one in use.
var (
	errDuplicate = errors.New("there is a connection already, dialled by the other side")
	errStale     = errors.New("the server has been restarted since it dialled")
	errReplaced  = errors.New("the server has been restarted")
	errShutDown  = errors.New("the server is shutting down")
)
