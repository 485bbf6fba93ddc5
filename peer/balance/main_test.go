package balance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m)) }

// noon is when every test begins.
var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// some makes n endpoints.
func some(n int) []*Endpoint {
	eps := make([]*Endpoint, n)
	for i := range eps {
		eps[i] = &Endpoint{ID: uint64(i + 1), Address: fmt.Sprintf("10.0.%d.%d:80", i/250, i%250)}
	}
	return eps
}

// weights makes an endpoint of each weight.
func weights(ws ...float64) []*Endpoint {
	eps := some(len(ws))
	for i, w := range ws {
		eps[i].Weight = w
	}
	return eps
}

// count is how often p picks each of eps in n picks.
func count(p Policy, eps []*Endpoint, n int, key func(int) Key) []int {
	counts := make([]int, len(eps))
	for i := range n {
		var k Key
		if key != nil {
			k = key(i)
		}
		counts[p.Pick(eps, k, noon)]++
	}
	return counts
}

func numbered(i int) Key { return Key(fmt.Sprintf("http://example.org/%d", i)) }
