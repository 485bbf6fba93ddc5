package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer"
	"github.com/ratmom/ratmom/peer/show"
)

func TestPeers_prints_what_a_process_shows(t *testing.T) {
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	m, err := peer.Open(client)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close(); _ = client.Close() })
	_, err = m.Get("https://one.peer.invalid/")
	require.NoError(t, err)
	s := httptest.NewServer(show.Handler(m))
	t.Cleanup(s.Close)

	r := ratmomRun(t, "peers", s.Listener.Addr().String()+"/debug/peers")
	assert.Equal(t, exitOK, r.code, r.err)
	assert.Contains(t, r.out, "1 peers, 0 links, 0 requests on links, 0 waiting\n\nhttps://one.peer.invalid:443\n")

	r = ratmomRun(t, "peers", "--json", s.URL)
	assert.Equal(t, exitOK, r.code, r.err)
	var shot peer.Snapshot
	require.NoError(t, json.Unmarshal([]byte(r.out), &shot))
	assert.Equal(t, "https://one.peer.invalid:443", shot.Peers[0].Name)
}

func TestPeers_prints_pipelines(t *testing.T) {
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	m, err := peer.Open(client)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close(); _ = client.Close() })
	s := httptest.NewServer(show.Handler(m))
	t.Cleanup(s.Close)
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	l, err := p.Pipeline(t.Context(), 5)
	require.NoError(t, err)
	defer l.Close()
	r := ratmomRun(t, "peers", s.URL)
	assert.Equal(t, exitOK, r.code, r.err)
	assert.Contains(t, r.out, ", 1 pipelines\n")
	assert.Contains(t, r.out, "depth 5")
}

func TestPeers_says_what_is_wrong(t *testing.T) {
	for _, args := range [][]string{{"peers"}, {"peers", "a", "b"}, {"peers", "ftp://a/"}, {"peers", "--nope", "a"}, {"peers", "http://u:geheim@[/"}} {
		r := ratmomRun(t, args...)
		assert.Equal(t, exitUsage, r.code, args)
		assert.Contains(t, r.err, "Try \"ratmom peers --help\".")
		assert.NotContains(t, r.err, "geheim")
	}
	assert.Equal(t, exitOK, ratmomRun(t, "peers", "--help").code)
	assert.Equal(t, exitFailed, ratmomRun(t, "peers", "http://127.0.0.1:1/").code)

	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"other":1}`))
	}))
	t.Cleanup(s.Close)
	r := ratmomRun(t, "peers", s.URL+"/missing")
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "status 404")
	r = ratmomRun(t, "peers", s.URL)
	assert.Equal(t, exitFailed, r.code)
	assert.Contains(t, r.err, "no snapshot of peers")
}
