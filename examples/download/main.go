// Command download fetches a URL to a file, with a progress bar if it is run on a
// terminal. The file appears under its name only when it is complete.
//
//	go run ./examples/download [URL [FILE]]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var bars io.Writer
	if cwriter.IsTerminal(int(os.Stderr.Fd())) {
		bars = os.Stderr
	}
	if err := run(ctx, os.Args[1:], os.Stdout, bars); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "download:", err)
		os.Exit(1)
	}
}

// run shows progress on bars, unless that is nil.
func run(ctx context.Context, args []string, out, bars io.Writer) error {
	url, stop, err := demo.URL(ctx, args, "/bytes/50000000?rate=20000000")
	if err != nil {
		return err
	}
	defer stop()

	// No limit on the whole, which may be long: only on silence.
	client, err := ratmom.New(config.ConnectTimeout(10*time.Second), config.IdleReadTimeout(30*time.Second))
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
	if resp.StatusCode != http.StatusOK {
		return errors.Join(errors.New(resp.Status), resp.Discard())
	}

	name, temporary := "", false
	switch {
	case len(args) > 1:
		name = args[1]
	case len(args) == 1:
		name = fileName(resp)
	default: // the demo leaves nothing behind
		name, temporary = path.Join(os.TempDir(), fmt.Sprintf("ratmom-download-%d", os.Getpid())), true
	}
	n, err := save(resp, name, bars)
	if err != nil {
		return err
	}
	if temporary {
		err = os.Remove(name)
	}
	_, _ = fmt.Fprintf(out, "%s: %d bytes\n", name, n)
	return err
}

// fileName is the last part of the URL's path, if that is a name.
func fileName(resp *ratmom.Response) string {
	switch name := path.Base(resp.EffectiveURL.Path); name {
	case "/", ".", "..":
		return "index.html"
	default:
		return name
	}
}

func save(resp *ratmom.Response, name string, bars io.Writer) (int64, error) {
	if bars == nil {
		return resp.SaveFile(name)
	}
	progress := mpb.New(mpb.WithOutput(bars), mpb.WithAutoRefresh())
	bar := progress.AddBar(resp.ContentLength, // not positive: unknown until it ends
		mpb.PrependDecorators(decor.CountersKibiByte("% .1f / % .1f")),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1024(0), "% .1f"), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
	// Whatever reads the response reads its Body: the bar counts there.
	resp.Body = bar.ProxyReader(resp.Body)
	n, err := resp.SaveFile(name)
	if err != nil {
		bar.Abort(false)
	} else {
		bar.SetTotal(n, true)
	}
	progress.Wait()
	return n, err
}
