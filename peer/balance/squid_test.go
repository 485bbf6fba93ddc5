package balance

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

var parents = []struct {
	name   string
	weight float64
}{
	{"alpha.example", 1}, {"beta.example", 5}, {"gamma.example", 2}, {"delta.example", 2}, {"zürich.example", 1},
}

// likeSquid are endpoints such as the parents.
func likeSquid() []*Endpoint {
	eps := some(len(parents))
	for i, p := range parents {
		eps[i].Name, eps[i].Weight = p.name, p.weight
	}
	return eps
}

// squidFor starts a Squid that divides requests among the parents, which are all one
// server.
func squidFor(t *testing.T, algorithm string) *testserver.SquidServer {
	t.Helper()
	parent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("here"))
	}))
	t.Cleanup(parent.Close)
	_, port, err := net.SplitHostPort(parent.Listener.Addr().String())
	require.NoError(t, err)
	lines := []string{"never_direct allow all", "debug_options ALL,1 39,3", "nonhierarchical_direct off"}
	for _, p := range parents {
		lines = append(lines, fmt.Sprintf("cache_peer 127.0.0.1 parent %s 0 no-query no-digest name=%s weight=%v %s",
			port, p.name, p.weight, algorithm))
	}
	return testserver.SquidWith(t, lines...)
}

// ask gets a URL through the Squid from a local address.
func ask(t *testing.T, squid *testserver.SquidServer, from, target string) {
	t.Helper()
	proxy, err := url.Parse(squid.URL)
	require.NoError(t, err)
	tr := &http.Transport{
		Proxy:             http.ProxyURL(proxy),
		DisableKeepAlives: true,
		DialContext:       (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}).DialContext,
	}
	resp, err := (&http.Client{Transport: tr, Timeout: 30 * time.Second}).Get(target)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// squidLine finds the scores and the choices in Squid's log, of both algorithms.
var squidLine = regexp.MustCompile(`(?m)(?:name=|Parent: )(\S+\.example) combined_hash[= ](\d+) score[= ](\d+)$|selected (\S+\.example)$`)

// choice is what Squid made of one key.
type choice struct {
	scores   map[string]float64
	selected string
}

func choices(log string) (all []choice) {
	now := choice{scores: map[string]float64{}}
	for _, m := range squidLine.FindAllStringSubmatch(log, -1) {
		if m[4] == "" {
			now.scores[m[1]], _ = strconv.ParseFloat(m[3], 64)
			continue
		}
		now.selected = m[4]
		all = append(all, now)
		now = choice{scores: map[string]float64{}}
	}
	return all
}

// compare holds the scores and choices of p against Squid's.
func compare(t *testing.T, p *CARP, eps []*Endpoint, key Key, want choice) {
	t.Helper()
	picked := p.Pick(eps, key, noon)
	require.NotEqual(t, -1, picked)
	assert.Equal(t, want.selected, eps[picked].Name, "key %s", string(key))
	require.Len(t, want.scores, len(eps))
	hash := uint32(0)
	for k, e := range p.order {
		if k == 0 || p.Running {
			hash = carpHash(hash, string(key))
		}
		assert.InDelta(t, want.scores[e.Name], carpScore(hash, e), 1, "key %s, %s", string(key), e.Name)
	}
}

func TestCARP_has_the_scores_that_Squid_wrote_down(t *testing.T) {
	// From the cache.log of Squid 5.7.
	compare(t, &CARP{Running: true}, likeSquid(), "http://example.org/1", choice{
		scores: map[string]float64{
			"alpha.example": 313033663, "zürich.example": 2260968623, "gamma.example": 33579309,
			"delta.example": 2635898389, "beta.example": 554138222,
		},
		selected: "delta.example",
	})
	compare(t, new(CARP), likeSquid(), "127.0.0.9", choice{
		scores: map[string]float64{
			"alpha.example": 1355254498, "zürich.example": 3031906300, "gamma.example": 2419200409,
			"delta.example": 1560508363, "beta.example": 2633362729,
		},
		selected: "zürich.example",
	})
}

func TestCARP_picks_what_a_running_Squid_picks(t *testing.T) {
	t.Run("carp", func(t *testing.T) {
		squid, eps, p := squidFor(t, "carp"), likeSquid(), &CARP{Running: true}
		var keys []Key
		for i := range 40 {
			target := fmt.Sprintf("http://host%d.example.org/some/%d?q=%d", i%7, i, i*i)
			ask(t, squid, "127.0.0.1", target)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
			require.NoError(t, err)
			keys = append(keys, ByURI()(r))
		}
		all := choices(squid.Log())
		require.Len(t, all, len(keys))
		for i, key := range keys {
			compare(t, p, eps, key, all[i])
		}
	})
	t.Run("sourcehash", func(t *testing.T) {
		squid, eps, p := squidFor(t, "sourcehash"), likeSquid(), new(CARP)
		for i := range 40 {
			ask(t, squid, fmt.Sprintf("127.0.%d.%d", i, i+1), "http://example.org/")
		}
		all := choices(squid.Log())
		require.Len(t, all, 40)
		for i, want := range all {
			compare(t, p, eps, Key(fmt.Sprintf("127.0.%d.%d", i, i+1)), want)
		}
	})
}
