package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer"
	"github.com/ratmom/ratmom/peer/show"
)

const peersIntro = `Prints what the peers of another process are doing: each link, and each request on it.
The process serves package peer/show's Handler at URL; one without a scheme is an http one.

Usage: ratmom peers [FLAGS] URL

  ratmom peers localhost:6060/debug/peers

`

// maxSnapshot is the most that is read of an answer, in bytes.
const maxSnapshot = 64 << 20

// peers is the command of that name.
func peers(ctx context.Context, args []string, t terminal) int {
	set := pflag.NewFlagSet("peers", pflag.ContinueOnError)
	set.SortFlags = false
	set.Usage = func() {}
	asJSON := set.Bool("json", false, "print JSON")
	limit := seconds{Duration: 10 * time.Second}
	set.Var(&limit, "max-time", "give up after this `TIME`")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			_, _ = fmt.Fprint(t.out, peersIntro+set.FlagUsages())
			return exitOK
		}
		return usageError(t, "peers", "%v", err)
	}
	if set.NArg() != 1 {
		return usageError(t, "peers", "it takes one URL")
	}
	u, err := debugURL(set.Arg(0))
	if err != nil {
		return usageError(t, "peers", "%v", err)
	}
	s, err := fetchSnapshot(ctx, u, limit.Duration)
	if err != nil {
		_, _ = fmt.Fprintf(t.err, "ratmom peers: %v\n", err)
		if ctx.Err() != nil {
			return exitInterrupted
		}
		return exitFailed
	}
	if *asJSON {
		e := json.NewEncoder(t.out)
		e.SetIndent("", "  ")
		err = e.Encode(s)
	} else {
		err = show.Table(t.out, s)
	}
	if err != nil {
		_, _ = fmt.Fprintf(t.err, "ratmom peers: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func debugURL(arg string) (*url.URL, error) {
	if !strings.Contains(arg, "://") {
		arg = "http://" + arg
	}
	u, err := url.Parse(arg)
	if err != nil {
		return nil, errors.New("that is not a URL") // the error would show a password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s is not an http URL", u.Redacted())
	}
	return u, nil
}

func fetchSnapshot(ctx context.Context, u *url.URL, limit time.Duration) (s peer.Snapshot, err error) {
	client, err := ratmom.New(config.Timeout(limit), config.MaxBodyBytes(maxSnapshot))
	if err != nil {
		return s, err
	}
	defer func() { _ = client.Close() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return s, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Send(req)
	if err != nil {
		return s, err
	}
	b, err := resp.Bytes()
	if err != nil {
		return s, err
	}
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("%s: the answer has status %d", u.Redacted(), resp.StatusCode)
	}
	if err := json.Unmarshal(b, &s); err != nil || s.Time.IsZero() {
		return s, fmt.Errorf("%s: the answer is no snapshot of peers", u.Redacted())
	}
	return s, nil
}
