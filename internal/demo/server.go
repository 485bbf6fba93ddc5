package demo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is a running demo server.
type Server struct {
	// URL is where it listens, without a slash at its end.
	URL string

	http *http.Server
	stop context.CancelFunc
	wait sync.WaitGroup
}

// Start starts a server, which lives until Close, whatever happens to ctx.
func Start(ctx context.Context) (*Server, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &Server{URL: "http://" + l.Addr().String(), stop: stop}
	s.http = &http.Server{
		Handler:           pages(),
		Protocols:         protocols,
		ReadHeaderTimeout: 10 * time.Second,
		// Handlers that wait for their client must not outlive the server.
		BaseContext: func(net.Listener) context.Context { return base },
	}
	s.wait.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the listener is ours and nobody else closes it
		}
	})
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() {
	s.stop()
	_ = s.http.Close()
	s.wait.Wait()
}

// URL returns the first of args, which must be a URL; without one, path on a server that it starts.
// stop ends that server and must be called.
func URL(ctx context.Context, args []string, path string) (url string, stop func(), err error) {
	if len(args) > 0 {
		return args[0], func() {}, Check(args[:1])
	}
	s, err := Start(ctx)
	if err != nil {
		return "", nil, err
	}
	return s.URL + path, s.Close, nil
}
