package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
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
		return usageError(t, "fetch", "%v", err)
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

// options are the client's.
func (f *fetchFlags) options(set *pflag.FlagSet) []config.ClientOption {
	opts := []config.ClientOption{
		config.Metrics(f.writeOut != ""),
		config.Decompression(!f.raw),
		config.HTTPVersion(f.version()),
		config.MaxRedirects(f.redirects()),
		config.Timeout(f.maxTime.Duration),
		config.DangerAcceptInvalidCertificates(f.insecure),
		config.DangerAcceptInvalidHostnames(f.insecure),
	}
	if set.Changed("connect-timeout") {
		opts = append(opts, config.ConnectTimeout(f.connectTimeout.Duration))
	}
	if set.Changed("user-agent") {
		opts = append(opts, config.UserAgent(f.agent))
	}
	if set.Changed("proxy") {
		opts = append(opts, config.Proxy(f.proxy))
	}
	if f.cacert != "" {
		opts = append(opts, config.CAFile(f.cacert))
	}
	if f.cert != "" {
		opts = append(opts, config.ClientCertificate(f.cert, f.key))
	}
	if f.user != "" {
		opts = append(opts, f.credentials())
	}
	return opts
}
