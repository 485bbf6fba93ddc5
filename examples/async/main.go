// Command async sends a request without waiting for it, does something else, and
// takes the response when it is there.
//
//	go run ./examples/async [URL]
package main

import (
	"context"
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
		fmt.Fprintln(os.Stderr, "async:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/page/16") // takes about 86 ms
	if err != nil {
		return err
	}
	defer stop()

	client, err := ratmom.New(config.Timeout(30 * time.Second))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	future := client.SendAsync(req)

	// The request is on its way, and no goroutine waits for it. A future is a
	// channel to select on, like any other.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-tick.C:
			_, _ = fmt.Fprintln(out, "doing something else")
		case <-future.Done():
			waiting = false
		}
	}

	resp, err := future.Result()
	if err != nil {
		return err
	}
	text, err := resp.Text()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%s", resp.Status, text)
	return err
}
