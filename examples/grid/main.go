// Command grid runs three servers, each a process, that call each other and stream to each
// other all the time. It kills one of them and starts it again, while a table shows
// what becomes of the calls.
//
//	go run ./examples/grid [-short]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "grid:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 3 && args[0] == "node" { // one of the three
		return node(ctx, args[1], args[2], in, out)
	}
	flags := flag.NewFlagSet("grid", flag.ContinueOnError)
	flags.SetOutput(out)
	short := flags.Bool("short", false, "go on as soon as there was something to see")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("%q: there are no arguments but -short", flags.Arg(0))
	}
	watch := 4 * time.Second
	if *short {
		watch = 0
	}
	return story(ctx, watch, out)
}
