// Command parallel fetches hundreds of URLs at once and prints what came, in the
// order in which it came.
//
//	go run ./examples/parallel [URL...]
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
		fmt.Fprintln(os.Stderr, "parallel:", err)
		os.Exit(1)
	}
}

// pages is how many are fetched from the demo server, and atOnce how many
// requests are under way at a time.
const (
	pages  = 300
	atOnce = 100
)

func run(ctx context.Context, args []string, out io.Writer) error {
	urls := args
	if err := demo.Check(urls); err != nil {
		return err
	}
	if len(urls) == 0 {
		base, stop, err := demo.URL(ctx, nil, "/page/")
		if err != nil {
			return err
		}
		defer stop()
		for n := range pages {
			urls = append(urls, fmt.Sprint(base, n))
		}
	}

	client, err := ratmom.New(config.Timeout(30*time.Second), config.MaxConnectionsPerHost(20))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()

	begin := time.Now()
	failed := 0
	var running []*ratmom.Future
	var named []string // the URLs of those running
	for next := 0; next < len(urls) || len(running) > 0; {
		for next < len(urls) && len(running) < atOnce {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, urls[next], nil)
			if err != nil {
				return err
			}
			running = append(running, client.SendAsync(req))
			named = append(named, urls[next])
			next++
		}
		i, err := ratmom.WaitAny(ctx, running...)
		if err != nil {
			return err // interrupted; Close cancels the rest
		}
		if line, err := summary(running[i]); err != nil {
			failed++
			_, _ = fmt.Fprintln(out, err)
		} else {
			_, _ = fmt.Fprintf(out, "%s: %s\n", named[i], line)
		}
		last := len(running) - 1
		running[i], named[i] = running[last], named[last]
		running, named = running[:last], named[:last]
	}
	_, _ = fmt.Fprintf(out, "%d pages in %v\n", len(urls)-failed, time.Since(begin).Round(time.Millisecond))
	if failed > 0 {
		return fmt.Errorf("%d of %d failed", failed, len(urls))
	}
	return nil
}

func summary(f *ratmom.Future) (string, error) {
	resp, err := f.Result()
	if err != nil {
		return "", err
	}
	b, err := resp.Bytes()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d bytes", resp.Status, len(b)), nil
}
