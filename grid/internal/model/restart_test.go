package model

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
)

// chaos puts faults on a world until it has seen so many restarts.
type chaos struct {
	*world
	random *rand.Rand
	down   map[string]time.Time // when the next life begins
}

func (c *chaos) run(restarts int) {
	names := c.names()
	for done := 0; done < restarts; {
		time.Sleep(c.interval())
		for name, at := range c.down {
			if !time.Now().Before(at) {
				delete(c.down, name)
				c.start(name)
				done++
			}
		}
		a := names[c.random.IntN(len(names))]
		b := names[c.random.IntN(len(names))]
		switch c.random.IntN(9) {
		case 0, 1, 2:
			c.stopNode(a)
		case 3:
			c.net.Reset(a, b)
		case 4, 5:
			c.net.Set(a, b, c.faults())
		case 6:
			c.net.SetBoth(a, b, c.faults())
		case 7:
			c.net.SetAll(gridtest.Faults{})
		case 8:
			if n := c.node(a); n != nil && n.m.RemovePeer(b) {
				time.Sleep(time.Duration(c.random.IntN(100)) * time.Millisecond)
				require.NoError(c.t, n.m.AddPeer(grid.Peer{Name: b}))
			}
		}
	}
}

// interval is how long things stay as they are: mostly not for long, now and then until
// silence has been noticed.
func (c *chaos) interval() time.Duration {
	if c.random.IntN(20) == 0 {
		return time.Duration(c.random.IntN(25)) * time.Second
	}
	return time.Duration(c.random.IntN(300)) * time.Millisecond
}

func (c *chaos) stopNode(name string) {
	if _, down := c.down[name]; down {
		return
	}
	switch c.random.IntN(5) {
	case 0:
		// An orderly end, for which there is not always time enough.
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(c.random.IntN(500))*time.Millisecond)
		_ = c.node(name).m.Shutdown(ctx)
		cancel()
		c.kill(name, gridtest.WithEnd)
	case 1:
		c.kill(name, gridtest.WithEnd)
	case 2:
		c.kill(name, gridtest.Silent)
	default:
		c.kill(name, gridtest.WithReset)
	}
	c.down[name] = time.Now().Add(time.Duration(c.random.IntN(400)) * time.Millisecond)
}

func (c *chaos) faults() gridtest.Faults {
	f := gridtest.Faults{
		Latency: time.Duration(c.random.IntN(30)) * time.Millisecond,
		Jitter:  time.Duration(c.random.IntN(10)) * time.Millisecond,
	}
	switch c.random.IntN(9) {
	case 0:
		f.Path = gridtest.Stalled
	case 1:
		f.Path = gridtest.Dark
	case 2:
		f.Path = gridtest.Vanishing
	case 3:
		f.Chop = 1 + c.random.IntN(2000)
		f.ShortReads = 1 + c.random.IntN(2000)
	case 4:
		f.ResetAt = 1 + c.random.Int64N(20_000)
	case 5:
		f.Buffer = 1 + c.random.IntN(20_000)
	case 6:
		f.Bandwidth = 100_000 + c.random.IntN(10_000_000)
	case 7:
		f.CorruptAt = 1 + c.random.Int64N(20_000)
	}
	return f
}

// restarts is a world of three nodes with so many restarts, which has to be well again
// when the faults are over.
func restarts(t *testing.T, seed uint64, n int) *ledger {
	w := newWorld(t, seed, "a", "b", "c")
	for _, name := range w.names() {
		w.start(name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var loads sync.WaitGroup
	for _, name := range w.names() {
		for i := range 4 {
			random := rand.New(rand.NewPCG(seed, uint64(name[0])<<8+uint64(i)))
			loads.Go(func() { w.load(ctx, name, random) })
		}
	}
	c := &chaos{world: w, random: rand.New(rand.NewPCG(seed, 0)), down: map[string]time.Time{}}
	c.run(n)
	w.net.SetAll(gridtest.Faults{})
	for name := range c.down {
		w.start(name)
	}
	cancel()
	loads.Wait()

	limit, stop := context.WithTimeout(context.Background(), 2*dead)
	defer stop()
	require.NoError(t, w.ready(limit), "all are connected again")
	// What was given up on one side ends on the other.
	require.NoError(t, pause(context.Background(), dead))
	synctest.Wait()
	w.ledger.settled()
	for _, name := range w.names() {
		for _, s := range w.node(name).m.Snapshot().Connections {
			assert.Empty(t, s.Active, "what runs between %s and %s", name, s.Name)
		}
		assert.Equal(t, len(w.names())-1, w.net.Open(name), "the connections of %s", name)
	}
	w.end()
	return w.ledger
}

func TestRestarts_lose_and_repeat_nothing(t *testing.T) {
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			l := restarts(t, seed, 12)
			t.Log(l.counts)
			assert.Greater(t, l.counts["done"], 50)
		})
	}
}

// soaking skips a test that is for long runs only; ci/soak.sh sets the variable, to its default or to
// what was asked for.
func soaking(t *testing.T) time.Duration {
	d := os.Getenv("RATMOM_SOAK")
	if d == "" {
		t.Skip("RATMOM_SOAK is not set")
	}
	long, err := time.ParseDuration(d)
	require.NoError(t, err)
	return long
}

// enough says that a soak of d, which began at a time, has to end before it is through. One that
// is as long as ci/soak.sh has it by default is never short of time.
func enough(d time.Duration, began time.Time) bool {
	return d < 10*time.Minute && time.Since(began) > d
}

func TestSoak_restarts(t *testing.T) {
	d, began := soaking(t), time.Now()
	var before uint64
	total, worlds := map[string]int{}, 0
	for seed := range uint64(100) {
		if enough(d, began) {
			break
		}
		worlds++
		synctest.Test(t, func(t *testing.T) {
			for what, n := range restarts(t, 1000+seed, 100).counts {
				total[what] += n
			}
		})
		if t.Failed() {
			t.Fatalf("with seed %d", 1000+seed)
		}
		if heap := heapInUse(); seed == 9 {
			before = heap
		} else if seed > 9 && heap > before+32<<20 {
			t.Fatalf("%d bytes of heap after %d worlds, and %d after 10", heap, seed+1, before)
		}
	}
	t.Logf("%d restarts: %v", 100*worlds, total)
}

// heapInUse is what is reachable.
func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
