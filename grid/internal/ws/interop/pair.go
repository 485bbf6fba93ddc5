package interop

import (
	"context"
	"net"
	"net/http"
)

// Pair is a connection from one library to another, on this machine.
type Pair struct {
	Client, Server Conn
	server         *http.Server
	served         chan struct{}
}

// Connect has a dial at b.
func Connect(a, b Library) (*Pair, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	type accepted struct {
		conn Conn
		err  error
	}
	got := make(chan accepted, 1)
	p := &Pair{served: make(chan struct{})}
	p.server = &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := b.Upgrade(w, r)
		got <- accepted{c, err}
	})}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(l)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p.Client, err = a.Dial(ctx, l.Addr().String())
	if err == nil {
		s := <-got
		p.Server, err = s.conn, s.err
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends both ends and the server between.
func (p *Pair) Close() {
	for _, c := range []Conn{p.Client, p.Server} {
		if c != nil {
			c.Close()
		}
	}
	_ = p.server.Close()
	<-p.served
}
