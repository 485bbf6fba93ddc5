package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ratmom/ratmom/config"
)

// talk shows the conversation of one URL.
type talk struct {
	screen *screen
	prefix string
	status int      // of the head that is coming in
	heads  chan int // the status of each head that has been shown
}

// talkDelay is how long a body waits for the conversation before it, at the most.
const talkDelay = 200 * time.Millisecond

// newTalk numbers the lines if there are several URLs.
func (s *screen) newTalk(n int) *talk {
	t := &talk{screen: s, heads: make(chan int, 100)}
	if s.many > 0 {
		t.prefix = fmt.Sprintf("[%d] ", n+1)
	}
	return t
}

// event shows a piece of the conversation. It is called by one goroutine at a time.
func (t *talk) event(e config.WireEvent) {
	if e.Kind > config.WireHeaderSent && !t.screen.detail {
		return
	}
	var b strings.Builder
	for line := range strings.Lines(e.String()) {
		b.WriteString(t.prefix)
		b.WriteString(line)
	}
	t.screen.message(b.String())
	if e.Kind == config.WireHeaderReceived {
		t.note(string(e.Data))
	}
}

func (t *talk) note(head string) {
	for line := range strings.Lines(head) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(line, "HTTP/") {
			t.status, _ = strconv.Atoi(f[1])
		} else if len(f) == 0 {
			select {
			case t.heads <- t.status:
			default:
			}
		}
	}
}

// waitHead lets the conversation, which comes a little late, catch up with a
// response, so that a body does not stand before its head.
func (t *talk) waitHead(status int) {
	late := time.After(talkDelay)
	for {
		select {
		case s := <-t.heads:
			if s == status {
				return
			}
		case <-late:
			return
		}
	}
}
