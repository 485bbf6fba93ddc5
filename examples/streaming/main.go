// Command streaming prints server-sent events as they come.
//
//	go run ./examples/streaming [URL]
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
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
		fmt.Fprintln(os.Stderr, "streaming:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/events")
	if err != nil {
		return err
	}
	defer stop()

	// A stream has no end to wait for: what is limited is the time to its head,
	// and the silence within it.
	client, err := ratmom.New(
		config.ConnectTimeout(10*time.Second),
		config.ResponseHeadTimeout(10*time.Second),
		config.IdleReadTimeout(5*time.Minute))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	begin := time.Now()
	resp, err := client.Send(req) // returns with the head, before any event
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()

	var event, data string
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			event = value
		case "data":
			data += value + "\n"
		case "": // an empty line ends an event
			if data != "" {
				_, _ = fmt.Fprintf(out, "%6d ms  %s: %s", time.Since(begin).Milliseconds(), event, data)
			}
			event, data = "", ""
		}
	}
	return lines.Err()
}
