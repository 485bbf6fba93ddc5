package peer

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFacts_that_another_response_has_told_meanwhile_are_kept(t *testing.T) {
	m := openMap(t)
	p, err := m.Get("http://one.test/")
	require.NoError(t, err)
	p.mu.Lock()
	learned := make(chan struct{})
	go func() {
		defer close(learned)
		p.learn(&http.Response{Proto: "HTTP/2.0"}) // from a server that does not say who it is
	}()
	eventually(t, "it waits for the lock", learnsLocked)
	p.facts.Store(&Facts{Protocol: "HTTP/2.0", Software: "one", Fingerprint: "two", RTT: 3})
	p.mu.Unlock()
	await(t, learned)
	assert.Equal(t, Facts{Protocol: "HTTP/2.0", Software: "one", Fingerprint: "two", RTT: 3}, *p.facts.Load())
}

// learnsLocked reports whether a goroutine waits for a lock within learn.
func learnsLocked() bool {
	buf := make([]byte, 1<<20)
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "(*Peer).learn(") && strings.Contains(g, "[sync.Mutex.Lock") {
			return true
		}
	}
	return false
}
