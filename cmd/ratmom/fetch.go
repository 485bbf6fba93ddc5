package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/demo"
)

// fetch is the command of that name.
func fetch(ctx context.Context, args []string, t terminal) int {
	f := new(fetchFlags)
	set := f.flags()
	if err := set.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			_, _ = fmt.Fprint(t.out, fetchHelp(set))
			return exitOK
		}
		return usageError(t, "fetch", "%v", err)
	}
	base := ""
	if f.demo {
		s, err := demo.Start(ctx)
		if err != nil {
			_, _ = fmt.Fprintf(t.err, "ratmom fetch: %v\n", err)
			return exitFailed
		}
		defer s.Close()
		base = s.URL
	}
	urls, err := f.urls(set.Args(), base, t.in)
	if err != nil {
		return usageError(t, "fetch", "%v", err)
	}
	if len(urls) == 0 && f.input != "" {
		return exitOK // a list may be empty
	}
	if err := f.check(set, len(urls)); err != nil {
		return usageError(t, "fetch", "%v", err)
	}
	body, err := f.payload(t.in, len(urls))
	if err != nil {
		return usageError(t, "fetch", "%v", err)
	}
	client, err := ratmom.New(f.options(set)...)
	if err != nil {
		return usageError(t, "fetch", "%s", inFlags(err))
	}
	defer func() { _ = client.Close() }()
	if f.dir != "" {
		if err := os.MkdirAll(f.dir, 0o777); err != nil {
			_, _ = fmt.Fprintf(t.err, "ratmom fetch: %v\n", err)
			return exitFailed
		}
	}
	return newFetcher(f, client, body, urls, t).run(ctx)
}
