// Command simple fetches a page and prints it.
//
//	go run ./examples/simple [URL]
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
		fmt.Fprintln(os.Stderr, "simple:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/")
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
	resp, err := client.Send(req)
	if err != nil {
		return err
	}
	text, err := resp.Text() // reads the body to its end and closes it
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s %s from %s\n\n%s", resp.Proto, resp.Status, resp.EffectiveURL.Host, text)
	return err
}
