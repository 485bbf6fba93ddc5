package main

import (
	"context"
	"errors"
	"net"
	"sync"
)

// lastConn keeps the connection that was dialled last.
type lastConn struct {
	mu sync.Mutex
	nc net.Conn
}

func (l *lastConn) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		l.mu.Lock()
		l.nc = nc
		l.mu.Unlock()
	}
	return nc, err
}

func (l *lastConn) dialled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nc != nil
}

// reset has the other side see a reset.
func (l *lastConn) reset() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.nc.(*net.TCPConn)
	if !ok {
		return errors.New("no connection was dialled")
	}
	if err := t.SetLinger(0); err != nil {
		return err
	}
	return t.Close()
}
