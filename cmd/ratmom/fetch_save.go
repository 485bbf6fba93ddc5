package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/ratmom/ratmom"
)

// save writes the response to where it belongs and returns the length of its body.
func (f *fetcher) save(ctx context.Context, j *job, resp *ratmom.Response) (int64, error) {
	body := &countingBody{ReadCloser: f.screen.watch(j, resp)}
	resp.Body = body
	var err error
	if j.target != "" {
		if f.showsHead() {
			resp.Body = &prefixedBody{io.MultiReader(bytes.NewReader(head(resp)), body), body}
		}
		_, err = resp.SaveFile(j.target)
		return body.n, err
	}
	if err := f.line.enter(ctx, j.n); err != nil {
		_ = body.Close()
		return 0, err
	}
	if j.talk != nil {
		j.talk.waitHead(resp.StatusCode)
	}
	if f.showsHead() {
		if _, err := f.screen.out.Write(head(resp)); err != nil {
			_ = body.Close()
			return 0, err
		}
	}
	_, err = resp.CopyTo(f.screen.out)
	return body.n, err
}

func (f *fetcher) showsHead() bool { return f.flags.include || f.flags.head }

// head is the response's head as HTTP/1 would have it.
func head(resp *ratmom.Response) []byte {
	var b bytes.Buffer
	_, _ = fmt.Fprintf(&b, "%s %s\r\n", resp.Proto, resp.Status)
	_ = resp.Header.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

// countingBody counts what is read from it.
type countingBody struct {
	io.ReadCloser
	n int64
}

func (c *countingBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

// prefixedBody is a body with something before it.
type prefixedBody struct {
	io.Reader
	io.Closer
}

// turnstile lets numbers pass one at a time, in their order. The zero value is
// ready.
type turnstile struct {
	mu      sync.Mutex
	now     int
	gone    map[int]bool
	waiting map[int]chan struct{}
}

// enter waits until all numbers below n have left.
func (t *turnstile) enter(ctx context.Context, n int) error {
	t.mu.Lock()
	if t.now == n {
		t.mu.Unlock()
		return nil
	}
	if t.waiting == nil {
		t.waiting = make(map[int]chan struct{})
	}
	turn := make(chan struct{})
	t.waiting[n] = turn
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave lets the next one in. A number that never entered leaves too.
func (t *turnstile) leave(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone == nil {
		t.gone = make(map[int]bool)
	}
	t.gone[n] = true
	for t.gone[t.now] {
		delete(t.gone, t.now)
		t.now++
	}
	if turn := t.waiting[t.now]; turn != nil {
		delete(t.waiting, t.now)
		close(turn)
	}
}
