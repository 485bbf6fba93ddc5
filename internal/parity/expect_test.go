package parity

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestExpect_is_sent_when_it_is_on(t *testing.T) {
	early := make(chan bool, 1)
	s := testserver.Raw(t, func(c *testserver.Conn) {
		r, err := c.ReadHead()
		if err != nil {
			return
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, err = c.Read(make([]byte, 1))
		early <- err == nil
		_ = c.SetReadDeadline(time.Time{})
		if c.Send("HTTP/1.1 100 Continue\r\n\r\n") == nil && c.ReadBody(r) == nil {
			_ = c.Send(testserver.OK(""))
		}
	})
	req := newRequest(t, "POST", s.URL, unknownLength{strings.NewReader("hello world")})
	send(t, newClient(t), req, config.ExpectContinue(2*soon))
	assert.False(t, done(t, early, "the head should have come"), "the body waits for the server's word")
	assert.Equal(t, "100-continue", s.Request().Get("Expect"))
	assert.Equal(t, "hello world", string(s.Request().Body))
}

func TestExpect_is_not_sent_when_it_is_off(t *testing.T) {
	for name, opts := range map[string][]config.ClientOption{
		"by default":      nil,
		"by a time of 0":  {config.ExpectContinue(time.Second), config.ExpectContinue(0)},
		"for a big body ": nil,
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t)
			body := "hello world"
			if strings.Contains(name, "big") {
				body = strings.Repeat("x", 2<<20) // libcurl by itself asks from 1 MiB on
			}
			send(t, newClient(t, opts...), newRequest(t, "POST", m.URL, unknownLength{strings.NewReader(body)}))
			assert.False(t, m.Request().Has("Expect"))
			assert.Equal(t, body, string(m.Request().Body))
		})
	}
}
