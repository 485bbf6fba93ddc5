package handler

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"

	"github.com/ratmom/ratmom/internal/failure"
)

// trace tells an httptrace.ClientTrace what is known of the request. Its hooks
// are the caller's code: they run on goroutines of their own, in order, and the
// response is handed over after them. What libcurl does not tell, such as the
// start of a name look-up or of a handshake, is not traced.
type trace struct {
	hooks *httptrace.ClientTrace
	h     *Handler

	header  http.Header
	closing bool

	mu      sync.Mutex
	idle    sync.Cond
	queue   []func()
	running bool
}

// newTrace returns the trace for the hooks in ctx; nil, which traces nothing, if there
// are none.
func newTrace(ctx context.Context, h *Handler) *trace {
	hooks := httptrace.ContextClientTrace(ctx)
	if hooks == nil {
		return nil
	}
	t := &trace{hooks: hooks, h: h, header: h.spec.Request.Header, closing: h.spec.Request.Close}
	t.idle.L = &t.mu
	return t
}

// start traces that a connection is asked for. It runs on the caller's goroutine.
func (t *trace) start() {
	if t != nil && t.hooks.GetConn != nil {
		t.hooks.GetConn(hostOnly(t.h.url.Host) + ":" + Port(t.h.url))
	}
}

// wantsInfo reports whether there is a hook for 1xx heads.
func (t *trace) wantsInfo() bool { return t != nil && t.hooks.Got1xxResponse != nil }

// info traces raw 1xx heads. Agent only.
func (t *trace) info(raw []byte) {
	if t == nil || t.hooks.Got1xxResponse == nil && t.hooks.Got100Continue == nil {
		return
	}
	for len(raw) > 0 {
		one := raw
		if i := endOfHead(raw); i >= 0 {
			one, raw = raw[:i], raw[i:]
		} else {
			raw = nil
		}
		head, err := ParseHead(one)
		if err != nil {
			continue
		}
		t.later(func() {
			if head.StatusCode == http.StatusContinue && t.hooks.Got100Continue != nil {
				t.hooks.Got100Continue()
			}
			if f := t.hooks.Got1xxResponse; f != nil {
				if err := f(head.StatusCode, textproto.MIMEHeader(head.Header)); err != nil {
					t.h.Cancel(failure.Wrap(failure.Canceled, err))
				}
			}
		})
	}
}

// sent traces the way out, once the head has come. Agent only.
func (t *trace) sent(reused bool) {
	if t == nil {
		return
	}
	hooks, header, closing := t.hooks, t.header, t.closing
	t.first(func() {
		if f := hooks.GotConn; f != nil {
			f(httptrace.GotConnInfo{Reused: reused})
		}
		if f := hooks.WroteHeaderField; f != nil {
			for k, vv := range header {
				f(k, vv)
			}
			if closing && !hasHeader(header, "Connection") {
				f("Connection", []string{"close"})
			}
		}
		if f := hooks.WroteHeaders; f != nil {
			f()
		}
		if f := hooks.WroteRequest; f != nil {
			f(httptrace.WroteRequestInfo{})
		}
	})
	t.later(func() {
		if f := hooks.GotFirstResponseByte; f != nil {
			f()
		}
	})
}

// end traces the end of a transfer that left its connection to others. Agent
// only.
func (t *trace) end() {
	if t != nil && t.hooks.PutIdleConn != nil {
		t.later(func() { t.hooks.PutIdleConn(nil) })
	}
}

func (t *trace) first(f func()) {
	t.mu.Lock()
	t.queue = append([]func(){f}, t.queue...)
	t.mu.Unlock()
}

func (t *trace) later(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, f)
	if !t.running {
		t.running = true
		go t.run()
	}
}

func (t *trace) run() {
	for {
		t.mu.Lock()
		if len(t.queue) == 0 {
			t.running = false
			t.idle.Broadcast()
			t.mu.Unlock()
			return
		}
		f := t.queue[0]
		t.queue = t.queue[1:]
		t.mu.Unlock()
		f()
	}
}

// wait waits until all hooks have run.
func (t *trace) wait() {
	if t == nil {
		return
	}
	t.mu.Lock()
	for t.running {
		t.idle.Wait()
	}
	t.mu.Unlock()
}

// endOfHead is the length of the first head in raw, -1 if it has no blank line.
func endOfHead(raw []byte) int {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\n' {
			continue
		}
		switch {
		case i+1 < len(raw) && raw[i+1] == '\n':
			return i + 2
		case i+2 < len(raw) && raw[i+1] == '\r' && raw[i+2] == '\n':
			return i + 3
		}
	}
	return -1
}
