package peer

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// known is how many identities a map has anything of.
func known(m *Map) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.peers.byID)
}

// meet makes peers that are idle.
func meet(t *testing.T, m *Map, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		_, err := m.Get(fmt.Sprintf("http://127.0.0.1:%d/", i))
		require.NoError(t, err)
	}
}

func TestMap_forgets_idle_peers_when_there_are_too_many(t *testing.T) {
	m := openMap(t, MaxIdlePeers(20))
	held, err := m.Get("http://127.0.0.1:1/")
	require.NoError(t, err)
	for i := range 50 {
		meet(t, m, 100+i*100, 200+i*100)
		eventually(t, "no more are left", func() bool { runtime.GC(); return known(m) <= 22 })
	}
	assert.Same(t, held, m.Find(held.ID()), "somebody holds it")
	again, err := m.Get("http://127.0.0.1:1/")
	require.NoError(t, err)
	assert.Same(t, held, again)
	m.ForEach(func(p *Peer) bool { assert.NotNil(t, p); return true })
}

func TestMap_forgets_peers_that_have_been_idle_for_long(t *testing.T) {
	m := openMap(t, ForgetAfter(time.Nanosecond))
	meet(t, m, 1000, 1100)
	eventually(t, "one is left", func() bool { runtime.GC(); return known(m) <= 1 })
	m = openMap(t, ForgetAfter(0))
	meet(t, m, 1000, 1100)
	runtime.GC()
	assert.Equal(t, 100, known(m))
}

func TestMap_does_not_forget_peers_that_are_in_use(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, MaxIdlePeers(0))
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	pinned := plain(t, nil)
	p, err := m.Get(pinned.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	meet(t, m, 1000, 1100)
	eventually(t, "the others have gone", func() bool { runtime.GC(); return known(m) <= 3 })
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.EqualValues(t, 1, s.conns.Load(), "it has its connection still")
	_, err = pin.Do(request(t, http.MethodGet, pinned.URL))
	require.NoError(t, err)
	pin.Release()
	// One that was forgotten and is held is what it was.
	eventually(t, "it is idle", func() bool { return len(states(p)) == 0 })
	meet(t, m, 2000, 2100)
	pin, err = p.Pin()
	require.NoError(t, err)
	_, err = pin.Do(request(t, http.MethodGet, pinned.URL))
	require.NoError(t, err)
	pin.Release()
}

func TestMap_that_nobody_holds_is_collected(t *testing.T) {
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	defer client.Close()
	open := func() weak.Pointer[Map] {
		m, err := Open(client)
		require.NoError(t, err)
		meet(t, m, 1, 100)
		return weak.Make(m)
	}
	w := open()
	eventually(t, "it is gone", func() bool { runtime.GC(); return w.Value() == nil })
}
