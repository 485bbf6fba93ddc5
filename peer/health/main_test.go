package health

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m)) }

// noon is when every test begins.
var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// at is so many seconds after noon.
func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

// since is the seconds after noon.
func since(t time.Time) float64 { return t.Sub(noon).Seconds() }

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
