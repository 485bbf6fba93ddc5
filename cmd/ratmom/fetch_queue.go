package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/failure"
)

// fetcher fetches a list of URLs, some at a time.
type fetcher struct {
	flags    *fetchFlags
	client   *ratmom.Client
	payload  *payload
	jobs     []*job
	parallel int
	screen   *screen
	report   *report // nil: none
	line     turnstile

	mu      sync.Mutex
	saving  int    // bodies under way
	wake    func() // tells run that one has ended
	failed  int
	refused int // of those, by their status
}

// job is one URL.
type job struct {
	n      int
	url    string // without its secrets
	target string // a file; "" is standard output
	req    *http.Request
	begin  time.Time
	future *ratmom.Future
	talk   *talk // nil: not shown
}

// statusError is a status that --fail takes for a failure.
type statusError struct{ url, status string }

func (e *statusError) Error() string { return e.url + ": " + e.status }

func newFetcher(f *fetchFlags, client *ratmom.Client, p *payload, urls []string, t terminal) *fetcher {
	targets := f.targets(urls)
	x := &fetcher{flags: f, client: client, payload: p, parallel: int(f.parallel), screen: newScreen(f, t, targets)}
	x.report = newReport(f, t, targets)
	for i, u := range urls {
		x.jobs = append(x.jobs, &job{n: i, url: u, target: targets[i]})
		if x.parallel == 0 && targets[i] == "" {
			x.parallel = 1
		}
	}
	if x.parallel == 0 {
		x.parallel = 8
	}
	return x
}

// run fetches all URLs and returns the exit code.
func (f *fetcher) run(ctx context.Context) int {
	var waiting []*job // for their heads
	var futures []*ratmom.Future
	for next := 0; ; {
		f.mu.Lock()
		saving := f.saving
		turn, wake := context.WithCancel(context.WithoutCancel(ctx))
		f.wake = wake
		f.mu.Unlock()

		for ; next < len(f.jobs) && len(waiting)+saving < f.parallel && ctx.Err() == nil; next++ {
			j := f.jobs[next]
			if err := f.start(ctx, j); err != nil {
				f.end(j, outcome{err: err})
				continue
			}
			waiting, futures = append(waiting, j), append(futures, j.future)
		}
		if len(waiting)+saving == 0 {
			wake()
			break
		}
		// An interrupt reaches the requests, and what they end with comes here.
		i, err := ratmom.WaitAny(turn, futures...)
		wake()
		if err != nil {
			continue
		}
		f.take(ctx, waiting[i])
		last := len(waiting) - 1
		waiting[i], futures[i] = waiting[last], futures[last]
		waiting, futures = waiting[:last], futures[:last]
	}
	_ = f.client.Close() // and thereby ends the conversation, if that is shown
	f.screen.conversed()
	f.screen.close()
	return f.exitCode(ctx)
}

// start makes the request and sends it.
func (f *fetcher) start(ctx context.Context, j *job) error {
	j.begin = time.Now()
	raw := j.url
	if raw == "" {
		return errors.New("the URL is empty")
	}
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	j.url = failure.MaskText(raw)
	u, err := failure.ParseURL(raw)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, f.method(), "", nil)
	if err != nil {
		return err
	}
	h, host, err := f.flags.header()
	if err != nil {
		return err
	}
	req.URL, req.Host, req.Header = u, host, h
	if f.payload != nil {
		if err := f.payload.attach(req); err != nil {
			return err
		}
		if _, ok := h["Content-Type"]; !ok {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	j.req = req
	var opts []config.RequestOption
	if f.flags.verbose > 0 {
		j.talk = f.screen.newTalk(j.n)
		opts = append(opts, config.WireLog(j.talk.event))
	}
	j.future = f.client.SendAsync(req, opts...)
	return nil
}

func (f *fetcher) method() string {
	switch {
	case f.flags.method != "":
		return f.flags.method
	case f.flags.head:
		return http.MethodHead
	case f.payload != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// take looks at the response whose head has come, and lets its body be saved.
func (f *fetcher) take(ctx context.Context, j *job) {
	resp, err := j.future.Result()
	j.future = nil
	if err == nil && f.flags.fail && resp.StatusCode >= 400 {
		_ = resp.Body.Close()
		err = &statusError{j.url, resp.Status}
	}
	if err != nil {
		f.end(j, outcome{resp: resp, err: err})
		return
	}
	f.mu.Lock()
	f.saving++
	f.mu.Unlock()
	go func() {
		n, err := f.save(ctx, j, resp)
		f.end(j, outcome{resp: resp, bytes: n, err: err})
		f.mu.Lock()
		f.saving--
		f.wake()
		f.mu.Unlock()
	}()
}

// outcome is what became of a job.
type outcome struct {
	resp  *ratmom.Response // nil if no head came
	bytes int64            // of the body, as written
	err   error
}

// end accounts for a job. It is called once for each that was begun.
func (f *fetcher) end(j *job, o outcome) {
	f.line.leave(j.n)
	canceled := errors.Is(o.err, context.Canceled) && j.req != nil && j.req.Context().Err() != nil
	var refused *statusError
	f.mu.Lock()
	if o.err != nil {
		f.failed++
		if errors.As(o.err, &refused) {
			f.refused++
		}
	}
	f.mu.Unlock()
	if o.err != nil && !canceled {
		f.screen.problem(o.err)
	}
	if f.report != nil {
		f.screen.direct(func() { f.report.write(j, o) })
	}
	f.screen.ended()
}

func (f *fetcher) exitCode(ctx context.Context) int {
	switch {
	case ctx.Err() != nil:
		f.screen.problem(errors.New("interrupted"))
		return exitInterrupted
	case f.failed == 0:
		return exitOK
	}
	if len(f.jobs) > 1 {
		f.screen.problem(fmt.Errorf("%d of %d URLs failed", f.failed, len(f.jobs)))
	}
	if f.failed == f.refused {
		return exitHTTP
	}
	return exitFailed
}
