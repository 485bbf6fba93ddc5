package ratmom_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

func TestClose_waits_until_the_wire_log_has_been_told_everything(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("hello"))
	}))
	defer s.Close()

	var log strings.Builder // its goroutines end before Close does
	slow := time.NewTicker(time.Millisecond)
	defer slow.Stop()
	c, err := ratmom.New(config.WireLog(func(e config.WireEvent) {
		<-slow.C
		log.WriteString(e.String())
	}))
	require.NoError(t, err)
	resp, err := c.Get(s.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	require.NoError(t, c.Close())

	assert.Contains(t, log.String(), "> GET / HTTP/1.1\n")
	assert.Contains(t, log.String(), "< HTTP/1.1 200 OK\n")
	assert.Contains(t, log.String(), "left intact")
}

func TestWireLog_is_told_one_thing_at_a_time_in_order_across_redirects(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := len(r.URL.Path); n < 6 {
			http.Redirect(w, r, r.URL.Path+"a", http.StatusFound)
		}
	}))
	defer s.Close()

	var heads []string
	var inside atomic.Int32
	slow := time.NewTicker(time.Millisecond)
	defer slow.Stop()
	c, err := ratmom.New(config.WireLog(func(e config.WireEvent) {
		assert.Equal(t, int32(1), inside.Add(1))
		<-slow.C
		if line, _, _ := strings.Cut(e.String(), " HTTP"); e.Kind == config.WireHeaderSent {
			heads = append(heads, line)
		}
		inside.Add(-1)
	}))
	require.NoError(t, err)
	resp, err := c.Get(s.URL + "/")
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	require.NoError(t, c.Close())
	assert.Equal(t, []string{"> GET /", "> GET /a", "> GET /aa", "> GET /aaa", "> GET /aaaa", "> GET /aaaaa"}, heads)
}
