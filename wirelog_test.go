package ratmom_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
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
