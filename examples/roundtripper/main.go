// Command roundtripper runs a net/http.Client over ratmom: code that takes an
// http.Client or an http.RoundTripper needs no change.
//
//	go run ./examples/roundtripper [URL]
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/signal"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "roundtripper:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/redirect/3")
	if err != nil {
		return err
	}
	defer stop()

	client, err := ratmom.New()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()

	// Redirects and cookies are http.Client's own: Transport does one transfer
	// per RoundTrip.
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	hops := 0
	hc := &http.Client{
		Transport: client.Transport(),
		Jar:       jar,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			hops++
			return nil
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s after %d redirects, %d bytes\n", resp.Status, hops, n)
	return err
}
