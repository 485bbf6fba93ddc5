package grid

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/grid/internal/hello"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// Handler accepts the connections of peers. It answers every request as one to
// open a WebSocket, so mount it at Config.Path only.
func (m *Manager) Handler() http.Handler { return http.HandlerFunc(m.serve) }

func (m *Manager) serve(w http.ResponseWriter, r *http.Request) {
	if !m.enter() {
		http.Error(w, errShutDown.Error(), http.StatusServiceUnavailable)
		return
	}
	defer m.tasks.Done()
	deadline := time.Now().Add(m.timing.Handshake)
	conn, err := ws.Upgrade(w, r, subprotocol, deadline)
	if err == nil {
		//nolint:contextcheck // the session outlives the request that opens it
		if err = m.accept(conn, r, deadline); err == nil {
			return
		}
		_ = conn.Close()
	}
	m.log.LogAttrs(r.Context(), slog.LevelWarn, "grid: a connection was refused", slog.String("from", r.RemoteAddr), slog.String("why", err.Error()))
}

// accept makes a session of a connection that was accepted. The caller closes that after an
// error.
func (m *Manager) accept(conn *ws.Conn, r *http.Request, deadline time.Time) error {
	nc := conn.NetConn()
	tune(nc)
	if err := nc.SetDeadline(deadline); err != nil {
		return err
	}
	stop := m.onShutdown(func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	local := m.local()
	local.TLS = r.TLS
	ours := m.params(r.TLS != nil)
	var (
		c      *Connection
		theirs params
	)
	p, err := hello.Accept(conn, local, func(p hello.Peer) ([]byte, error) {
		if c = m.Connection(p.Name); c == nil {
			return nil, refuse(hello.UnknownPeer, "%q is not known to %q", p.Name, m.cfg.Self)
		}
		var err error
		if theirs, err = parseParams(p.Params); err != nil {
			return nil, refuse(hello.Malformed, "%v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := c.admits(theirs, instance(p.Instance), false); err != nil {
			return nil, refuse(uint16(Draining), "%v", err)
		}
		return ours.append(nil), nil
	})
	if err != nil {
		return err
	}
	if !stop() {
		return errShutDown
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return err
	}
	s := newSession(c, conn, theirs, instance(p.Instance), false, ours.flags&theirs.flags&wantsSum != 0)
	if err := c.install(s); err != nil {
		s.abandon(err)
		return err
	}
	return nil
}

func refuse(code uint16, format string, args ...any) error {
	return &hello.Refusal{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// abandon tells the peer of a session that was never installed why.
func (s *session) abandon(why error) {
	if errors.Is(why, errShutDown) || errors.Is(why, errStale) {
		_ = s.conn.WriteClose(ws.CloseGoingAway, why.Error())
	}
	_ = s.conn.Close()
}
