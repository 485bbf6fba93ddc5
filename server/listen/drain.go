package listen

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// LastResponses wraps a handler so that, once one of stops is closed, every response ends
// its connection: it says "Connection: close", which makes an HTTP/2 server send GOAWAY.
// Clients thereby leave by themselves, and none finds its connection closed under its
// next request.
func LastResponses(h http.Handler, stops ...<-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, stop := range stops {
			select {
			case <-stop:
				w.Header().Set("Connection", "close")
			default:
			}
		}
		h.ServeHTTP(w, r)
	})
}

// Shutdowner is a server that can be stopped in order, as http.Server.
type Shutdowner interface {
	Shutdown(context.Context) error
}

// Drain ends servers in order: it waits for grace, and then shuts them down; ctx limits
// both. Within grace the connections that are in use get a last response, if the handler
// is one of LastResponses. It is wanted: Shutdown of http.Server closes a connection
// without an answer to a request that it reads from then on.
func Drain(ctx context.Context, grace time.Duration, servers ...Shutdowner) error {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i, server := range servers {
		wg.Go(func() { errs[i] = server.Shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
