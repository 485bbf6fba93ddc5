package show

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
	"github.com/ratmom/ratmom/peer"
)

func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m)) }

// used is a map that has had one answer from a server with a nasty name.
func used(t *testing.T) (*peer.Map, string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "<script>alert(1)</script>")
	}))
	t.Cleanup(s.Close)
	client, err := ratmom.New(config.Proxy(""))
	require.NoError(t, err)
	m, err := peer.Open(client)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close(); _ = client.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/?token=geheim", nil)
	require.NoError(t, err)
	_, err = m.Do(req)
	require.NoError(t, err)
	return m, s.URL
}

func get(m *peer.Map, target, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	Handler(m).ServeHTTP(w, r)
	return w
}

func TestHandler_writes_what_is_asked_for(t *testing.T) {
	m, name := used(t)
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct{ target, accept, want string }{
		{"/", "", "text/plain"},
		{"/", "*/*", "text/plain"},
		{"/", browser, "text/html"},
		{"/", "application/json", "application/json"},
		{"/", "text/html;q=0.1, application/json;q=0.5", "application/json"},
		{"/", "*/*, text/plain;q=0", "application/json"},
		{"/", "image/png", "text/plain"},
		{"/", "application/openmetrics-text;version=1.0.0", "application/openmetrics-text"},
		{"/?format=json", browser, "application/json"},
		{"/?format=metrics", "", "application/openmetrics-text"},
	} {
		w := get(m, c.target, c.accept)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.True(t, strings.HasPrefix(w.Header().Get("Content-Type"), c.want), "%s %s: %v", c.target, c.accept, w.Header())
		assert.Contains(t, w.Body.String(), name)
		assert.NotContains(t, w.Body.String(), "geheim")
	}
}

func TestHandler_refuses_what_it_does_not_know(t *testing.T) {
	m, _ := used(t)
	for _, target := range []string{"/?format=xml", "/?format=", "/?most=0", "/?most=x", "/?most=1001"} {
		assert.Equal(t, http.StatusBadRequest, get(m, target, "").Code, target)
	}
	w := httptest.NewRecorder()
	Handler(m).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestHandler_escapes_what_servers_say(t *testing.T) {
	m, _ := used(t)
	html := get(m, "/?format=html", "").Body.String()
	assert.NotContains(t, html, "<script")
	assert.Contains(t, html, "&lt;script&gt;")
	var s peer.Snapshot
	require.NoError(t, json.Unmarshal(get(m, "/?format=json", "").Body.Bytes(), &s))
	assert.Equal(t, "<script>alert(1)</script>", s.Peers[0].Software)
}

func TestTable_has_all_and_quotes_what_a_terminal_obeys(t *testing.T) {
	s := peer.Snapshot{
		Links: 3, Running: 4, Queued: 5, MorePeers: 6, Pipelines: 9,
		Peers: []peer.PeerSnapshot{{
			Name: "http://a:80", Software: "evil\x1b[2J", Err: "it is away", Queued: 5, MoreLinks: 2, MoreRequests: 7, MoreEndpoints: 8,
			Endpoints: []peer.EndpointSnapshot{{Address: "10.0.0.1:80", Ejected: true, Latency: 0.25}},
			Links: []peer.LinkSnapshot{{ID: 9, State: "busy", Pinned: true, Limit: 1, Running: 1, Age: 90,
				Requests: []peer.RequestSnapshot{{Method: "GET", Target: "/x", State: "head", Revealed: true, Age: 1.5}}}},
			Pipelines: []peer.PipelineSnapshot{{ID: 11, Remote: "10.0.0.2:80", Depth: 16, Running: 12, Queued: 13, Served: 14, Age: 15,
				Requests: []peer.RequestSnapshot{{Method: "GET", Target: "/piped", State: "committed", Revealed: true}}}},
			MorePipelines: 8,
			Waiting:       []peer.RequestSnapshot{{Method: "PUT", Target: "/y", State: "queued", Priority: 3}},
		}},
	}
	var b bytes.Buffer
	require.NoError(t, Table(&b, s))
	text := b.String()
	assert.NotContains(t, text, "\x1b")
	for _, want := range []string{
		"7 peers, 3 links, 4 requests on links, 5 waiting, 9 pipelines\n", "pipeline 11  depth 16", "10.0.0.2:80", "12 running, 13 queued", "served 14", "age 15s", "/piped",
		"and 8 more pipelines", `software="evil\x1b[2J"`, "error=it is away",
		"10.0.0.1:80  ejected", "latency 250ms", "link 9", "busy, pinned", "age 1m30s", "head", "/x", "queued", "unrevealed", "priority 3", "/y",
		"and 2 more links", "and 7 more requests", "and 8 more endpoints", "and 6 more peers",
	} {
		assert.Contains(t, text, want)
	}
}

func TestHandler_shows_pipelines_in_every_form(t *testing.T) {
	m, name := used(t)
	p, err := m.Get(name)
	require.NoError(t, err)
	l, err := p.Pipeline(t.Context(), 7)
	require.NoError(t, err)
	defer l.Close()
	assert.Contains(t, get(m, "/?format=text", "").Body.String(), "depth 7")
	assert.Contains(t, get(m, "/?format=html", "").Body.String(), "<td>depth 7<td>")
	var s peer.Snapshot
	require.NoError(t, json.Unmarshal(get(m, "/?format=json", "").Body.Bytes(), &s))
	require.Len(t, s.Peers[0].Pipelines, 1)
	assert.Equal(t, 7, s.Peers[0].Pipelines[0].Depth)
}

func TestMetrics_are_families_that_end_in_EOF(t *testing.T) {
	m, name := used(t)
	var b bytes.Buffer
	require.NoError(t, Metrics(&b, m))
	text := b.String()
	assert.Contains(t, text, "# TYPE ratmom_peer_requests counter\n# HELP ratmom_peer_requests ")
	assert.Contains(t, text, `ratmom_peer_requests_total{peer="`+name+`"} 1`+"\n")
	assert.Contains(t, text, `ratmom_peer_requests_seen_total{peer="`+name+`",revealed="yes"} 1`+"\n")
	assert.True(t, strings.HasSuffix(text, "\n# EOF\n"))
	assert.Equal(t, `a\"b\\c\nd`, escape("a\"b\\c\nd"))
}
