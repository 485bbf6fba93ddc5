package peer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

func TestMap_finds_a_peer_by_every_spelling_of_its_URL(t *testing.T) {
	m := openMap(t, Profile("other"), ForgetAfter(time.Hour))
	get := func(raw, profile string) *Peer {
		u, err := failure.ParseURL(raw)
		require.NoError(t, err)
		p, err := m.get(u, profile)
		require.NoError(t, err)
		return p
	}
	one := get("http://127.0.0.1:80/a", "")
	for range 2 { // the second time it was met before
		for _, same := range []string{"http://127.0.0.1:80/b?c", "http://127.0.0.1/", "HTTP://127.0.0.1:80"} {
			assert.Same(t, one, get(same, ""), same)
		}
		assert.NotSame(t, one, get("https://127.0.0.1:80/", ""))
		assert.NotSame(t, one, get("http://127.0.0.1:80/", "other"))
		assert.Same(t, get("http://127.0.0.1:80/", "other"), get("http://127.0.0.1/", "other"))
	}
	m.mu.Lock()
	m.peers.letGo(m.peers.byID[ID{Scheme: "http", Host: "127.0.0.1", Port: "80"}])
	m.mu.Unlock()
	assert.Same(t, one, get("http://127.0.0.1:80/", ""), "somebody holds it")
	m.mu.Lock()
	assert.Equal(t, 3, m.peers.kept, "it is kept again")
	m.mu.Unlock()
}
