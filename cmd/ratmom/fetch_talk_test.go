package main

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTalk_shows_a_head_before_its_body(t *testing.T) {
	var both bytes.Buffer // one terminal; writes are ordered by what waits for what
	w := &lockedWriter{w: &both}
	code := run(t.Context(), []string{"fetch", "--demo", "/redirect/2", "-v"}, terminal{in: strings.NewReader(""), out: w, err: w})
	assert.Equal(t, exitOK, code)
	text := both.String()
	head := strings.LastIndex(text, "\n< HTTP/1.1 200 OK\n")
	assert.Positive(t, head)
	assert.Greater(t, strings.Index(text, "This page came from"), head)
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
