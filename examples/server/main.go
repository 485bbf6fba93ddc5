// Command server has a slow route and a fast one, and lets requests of one connection run at once.
//
//	go run ./examples/server [ADDRESS]
//
// Three requests on one connection, the slow one first, are answered in order and in the time of one:
//
//	printf 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\nGET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' | nc 127.0.0.1 8080
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	address := "127.0.0.1:8080"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := run(ctx, address, os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address string, out io.Writer) error {
	var count atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fast", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "fast, begun as number %d\n", count.Add(1))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		n := count.Add(1)
		select {
		case <-time.After(time.Second):
			_, _ = fmt.Fprintf(w, "slow, begun as number %d\n", n)
		case <-r.Context().Done(): // the client is gone
		}
	})

	s := &server.Server{
		Handler:   mux,
		Pipeline:  15,   // besides the one whose turn it is
		HalfClose: true, // who has sent all its requests still waits for the answers
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "listening on %s\n", l.Addr())

	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }() //nolint:contextcheck // Shutdown ends it
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = s.Shutdown(patience)
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
