// Command upload sends a file, or something made up as it goes, and prints the
// answer.
//
//	go run ./examples/upload [URL [FILE]]
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
		fmt.Fprintln(os.Stderr, "upload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/upload")
	if err != nil {
		return err
	}
	defer stop()

	client, err := ratmom.New(config.ConnectTimeout(10*time.Second), config.Metrics(true))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()

	var req *http.Request
	if len(args) > 1 {
		req, err = fileRequest(ctx, url, args[1])
	} else {
		req, err = madeUpRequest(ctx, url)
	}
	if err != nil {
		return err
	}
	resp, err := client.Send(req)
	if err != nil {
		return err
	}
	text, err := resp.Text()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%s\n%s", resp.Status, text)
	if m, ok := resp.Metrics(); ok {
		_, _ = fmt.Fprintf(out, "sent %d bytes in %v\n", m.Sent, m.Total.Round(time.Millisecond))
	}
	return nil
}

// fileRequest sends a file. Its length is known, and GetBody lets it be sent again
// if the server redirects it.
func fileRequest(ctx context.Context, url, name string) (*http.Request, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	req.ContentLength = info.Size()
	req.GetBody = func() (io.ReadCloser, error) { return os.Open(name) }
	return req, nil
}

// madeUpRequest sends what a goroutine writes, whose length nobody knows.
func madeUpRequest(ctx context.Context, url string) (*http.Request, error) {
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, r)
	if err != nil {
		return nil, err
	}
	go func() {
		var err error
		for i := 0; i < 100_000 && err == nil; i++ {
			_, err = fmt.Fprintln(w, "line", i)
		}
		_ = w.CloseWithError(err)
	}()
	return req, nil
}
