// Command peers asks several servers for the same at once, prints what they say as it
// comes, and then what the program knows of them.
//
//	go run ./examples/peers [URL...]
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
	"github.com/ratmom/ratmom/internal/demo"
	"github.com/ratmom/ratmom/peer"
	"github.com/ratmom/ratmom/peer/recipe"
	"github.com/ratmom/ratmom/peer/show"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, urls []string, out io.Writer) error {
	if err := demo.Check(urls); err != nil {
		return err
	}
	if len(urls) == 0 {
		for range 3 {
			s, err := demo.Start(ctx)
			if err != nil {
				return err
			}
			defer s.Close()
			urls = append(urls, s.URL+"/json")
		}
	}
	client, err := ratmom.New()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	m, err := peer.Open(client)
	if err != nil {
		return err
	}
	defer m.Close()

	var requests []*http.Request
	for _, u := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return err
		}
		requests = append(requests, req)
	}
	limit, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	good, err := recipe.Scatter(limit, m, requests, func(a recipe.Answer) bool {
		if a.Err != nil {
			_, _ = fmt.Fprintf(out, "%s: %v\n", urls[a.Index], a.Err)
		} else {
			_, _ = fmt.Fprintf(out, "%s: status %d, %d bytes\n", urls[a.Index], a.Result.Status, len(a.Result.Content))
		}
		return true
	})
	if err != nil {
		return err
	}
	if err := show.Table(out, m.Snapshot(0)); err != nil {
		return err
	}
	if good < len(urls) {
		return fmt.Errorf("%d of %d failed", len(urls)-good, len(urls))
	}
	return nil
}
