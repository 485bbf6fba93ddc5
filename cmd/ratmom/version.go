package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
)

// version prints what a bug report needs.
func version(_ context.Context, args []string, t terminal) int {
	if len(args) > 0 {
		switch args[0] {
		case "-h", "--help":
			_, _ = fmt.Fprint(t.out, "Usage: ratmom version\n\nPrints the versions of ratmom, Go and libcurl, and what this libcurl can do.\n")
			return exitOK
		}
		return usageError(t, "version", "it takes no arguments")
	}
	f := cgo.Features()
	_, _ = fmt.Fprintf(t.out, "ratmom  %s\ngo      %s %s/%s\nlibcurl %s, %s\n",
		ratmom.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, f.VersionString, f.SSLBackend)
	for _, x := range []struct {
		name string
		has  bool
	}{
		{"HTTP/2", f.HTTP2}, {"HTTP/3", f.HTTP3}, {"TLS", f.TLS}, {"HTTPS proxies", f.HTTPSProxy},
		{"NTLM", f.NTLM}, {"Negotiate", f.SPNEGO}, {"HSTS", f.HSTS}, {"Alt-Svc", f.AltSvc},
		{"unix sockets", f.Unix}, {"IDN", f.IDN}, {"public suffix list", f.PSL},
		{"asynchronous DNS", f.AsyncDNS}, {"WebSocket", f.WebSocket},
	} {
		word := "no"
		if x.has {
			word = "yes"
		}
		_, _ = fmt.Fprintf(t.out, "  %-19s %s\n", x.name, word)
	}
	return exitOK
}
