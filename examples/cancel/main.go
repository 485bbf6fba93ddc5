// Command cancel gives up requests to a server that does not answer: by a
// deadline, by a context, and by the future.
//
//	go run ./examples/cancel [URL]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "cancel:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/silence")
	if err != nil {
		return err
	}
	defer stop()

	client, err := ratmom.New()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()

	begin := time.Now()
	report := func(how string, resp *ratmom.Response, err error) {
		after := time.Since(begin).Round(10 * time.Millisecond)
		switch {
		case err == nil:
			_ = resp.Body.Close()
			_, _ = fmt.Fprintf(out, "%s: came after %v: %s\n", how, after, resp.Status)
		case errors.Is(err, ratmom.ErrTimeout):
			_, _ = fmt.Fprintf(out, "%s: timed out after %v\n", how, after)
		case errors.Is(err, ratmom.ErrCanceled):
			_, _ = fmt.Fprintf(out, "%s: canceled after %v\n", how, after)
		default:
			_, _ = fmt.Fprintf(out, "%s: %v\n", how, err)
		}
	}

	// A time limit.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Send(req, config.Timeout(100*time.Millisecond))
	report("limit", resp, err)

	// A context that somebody cancels.
	begin = time.Now()
	inner, cancel := context.WithCancel(ctx)
	time.AfterFunc(100*time.Millisecond, cancel)
	resp, err = client.Send(req.Clone(inner))
	cancel()
	report("context", resp, err)

	// A future that is not wanted any more.
	begin = time.Now()
	future := client.SendAsync(req)
	wait, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := future.Wait(wait); err != nil { // only the waiting is over
		future.Cancel()
	}
	resp, err = future.Result()
	report("future", resp, err)
	return ctx.Err()
}
