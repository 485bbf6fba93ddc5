package grid

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// A server that restarts begins to number its requests anew. The answer to a request
// of its former life must not be taken for one to a request of its present life.
func TestRequest_after_a_restart_gets_no_answer_to_one_before_it(t *testing.T) {
	for _, how := range []gridtest.Death{gridtest.WithReset, gridtest.WithEnd, gridtest.Silent} {
		for _, restarted := range []string{"a", "b"} { // of which one dials
			inBubble(t, func(b *bubble) {
				x, y := b.pair(nil)
				if restarted == "b" {
					x, y = y, x
				}
				release := make(chan struct{})
				require.NoError(b, y.HandleSingle(firstFree, func(_ context.Context, c *Call) ([]byte, error) {
					if string(c.Payload()) == "old" {
						<-release
					}
					return append([]byte("answer to "), c.Payload()...), nil
				}))
				go func() { _, _ = x.to(y).Request(context.Background(), firstFree, []byte("old")) }()
				synctest.Wait()
				b.kill(x, how)
				again := b.start(restarted, nil)
				ready(b, again, y)
				got := make(chan string, 1)
				go func() {
					answer, err := again.to(y).Request(context.Background(), firstFree, []byte("new"))
					got <- fmt.Sprint(string(answer), err)
				}()
				close(release)
				require.Equal(b, "answer to new<nil>", <-got)
				synctest.Wait()
			})
		}
	}
}

// What was reported as not sent is never executed, nor is anything later than its session.
func TestRequests_that_were_not_sent_are_never_executed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		var mu sync.Mutex
		executed := make(map[string]int)
		var down atomic.Bool
		require.NoError(b, y.HandleSingle(firstFree, func(_ context.Context, c *Call) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			executed[string(c.Payload()[:8])]++
			if down.Load() {
				executed["late"]++
			}
			return nil, nil
		}))
		b.net.Set("a", "b", gridtest.Faults{Path: gridtest.Stalled, Buffer: 64 << 10})
		b.net.Set("b", "a", gridtest.Faults{Path: gridtest.Stalled})
		const n = 900
		outcomes := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				_, outcomes[i] = x.to(y).Request(context.Background(), firstFree, append([]byte(fmt.Sprintf("%08d", i)), make([]byte, 500)...))
			})
		}
		synctest.Wait()
		b.net.Reset("a", "b")
		b.net.SetBoth("a", "b", gridtest.Faults{})
		wg.Wait()
		synctest.Wait()
		down.Store(true) // those below are of the sessions that follow
		ready(b, x, y)
		_, err := x.to(y).Request(within(b), echoID, nil)
		require.NoError(b, err)
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		notSent := 0
		for i, err := range outcomes {
			var e *Error
			require.ErrorAs(b, err, &e)
			require.ErrorIs(b, err, ErrDisconnected)
			if e.Sent == NotSent {
				notSent++
				require.Zero(b, executed[fmt.Sprintf("%08d", i)])
			}
		}
		require.NotZero(b, notSent)
		require.Zero(b, executed["late"])
	})
}

// Random faults, restarts, cancellations: each call ends once, with its own answer or a typed error.
func TestRequests_under_random_faults_end_once_with_their_own_answer(t *testing.T) {
	rounds, seeds := 12, 1
	if testing.Short() {
		rounds = 10
	}
	if n, err := strconv.Atoi(os.Getenv("GRID_STORMS")); err == nil {
		seeds = n
	}
	for seed := range seeds {
		inBubble(t, func(b *bubble) { b.storm(uint64(seed), rounds) })
	}
}

func (b *bubble) storm(seed uint64, rounds int) {
	random := rand.New(rand.NewPCG(seed, 7))
	nodes := map[string]*node{}
	var mu sync.Mutex // for nodes
	life := map[string]int{}
	boot := func(name string) {
		life[name]++
		tag := fmt.Sprintf("%s%d:", name, life[name])
		n := b.start(name, nil)
		require.NoError(b, n.HandleSingle(firstFree, func(_ context.Context, c *Call) ([]byte, error) {
			time.Sleep(time.Duration(len(c.Payload())%5) * time.Millisecond)
			return append([]byte(tag), c.Payload()...), nil
		}))
		mu.Lock()
		nodes[name] = n
		mu.Unlock()
	}
	boot("a")
	boot("b")
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var answered atomic.Int64
	for i := range 6 {
		wg.Go(func() {
			from, to := "a", "b"
			if i%2 == 1 {
				from, to = to, from
			}
			for k := 0; ctx.Err() == nil; k++ {
				time.Sleep(time.Duration(k%30) * time.Millisecond)
				mu.Lock()
				n := nodes[from]
				mu.Unlock()
				id := fmt.Sprintf("%d/%d", i, k)
				req := append([]byte(id+"|"), make([]byte, (i*k*977)%40_000)...)
				call, stop := context.WithTimeout(ctx, time.Duration(1+(k%7)*20)*time.Millisecond)
				got, err := n.Connection(to).Request(call, firstFree, req)
				stop()
				if err != nil {
					var e *Error
					if !errors.As(err, &e) {
						b.Errorf("an error without a type: %v", err)
					}
					continue
				}
				answered.Add(1)
				want := string(req)
				for got[0] != ':' {
					got = got[1:]
				}
				if string(got[1:]) != want {
					b.Errorf("a foreign answer to %s", id)
				}
			}
		})
	}
	for range rounds {
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		b.trouble(random, nodes, &mu, boot)
	}
	b.net.SetAll(gridtest.Faults{})
	b.net.SetBoth("a", "b", gridtest.Faults{})
	time.Sleep(20 * time.Second)
	before := answered.Load()
	time.Sleep(time.Second)
	require.Greater(b, answered.Load(), before, "the work resumes")
	cancel()
	wg.Wait()
	time.Sleep(time.Second)
	for _, n := range nodes {
		for _, c := range n.Snapshot().Connections {
			require.Empty(b, c.Active)
		}
	}
}

// trouble is one thing that goes wrong.
func (b *bubble) trouble(random *rand.Rand, nodes map[string]*node, mu *sync.Mutex, boot func(string)) {
	name, other := "a", "b"
	if random.IntN(2) == 0 {
		name, other = other, name
	}
	switch random.IntN(7) {
	case 0:
		mu.Lock()
		n := nodes[name]
		mu.Unlock()
		b.kill(n, gridtest.Death(random.IntN(3)))
		boot(name)
	case 1:
		b.net.Reset(name, other)
	case 2:
		b.net.Set(name, other, gridtest.Faults{Latency: time.Duration(random.IntN(30)) * time.Millisecond, Chop: 1 + random.IntN(3000)})
	case 3:
		b.net.Set(name, other, gridtest.Faults{ResetAt: int64(1 + random.IntN(300_000))})
	case 4:
		b.net.Set(name, other, gridtest.Faults{CorruptAt: int64(1 + random.IntN(300_000))})
	case 5:
		b.net.Set(name, other, gridtest.Faults{Path: gridtest.Path(1 + random.IntN(3))})
		time.Sleep(time.Duration(random.IntN(20)) * time.Second)
		b.net.Set(name, other, gridtest.Faults{})
	case 6:
		b.net.Set(name, other, gridtest.Faults{Bandwidth: 100_000 + random.IntN(10_000_000)})
	}
}

// What was there of an answer when the connection was lost must not be in the way of later ones.
func TestRequest_whose_answer_was_cut_off_leaves_nothing_behind(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		require.NoError(b, y.HandleSingle(firstFree, func(context.Context, *Call) ([]byte, error) {
			return make([]byte, 4<<20), nil
		}))
		b.net.Set("b", "a", gridtest.Faults{ResetAt: 1 << 20})
		_, err := x.to(y).Request(within(b), firstFree, nil)
		require.ErrorIs(b, err, ErrDisconnected)
		b.net.SetBoth("a", "b", gridtest.Faults{})
		for range 5 {
			_, err = x.to(y).Request(within(b), echoID, []byte("again"), WaitForReady())
			require.NoError(b, err)
		}
	})
}

// A peer that connects again and again does not get the bounds of a connection as often.
func TestConnection_has_few_sessions_at_a_time(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		if !x.to(y).prefers {
			x, y = y, x
		}
		var hung sync.WaitGroup
		for range 3 * maxSessions {
			hung.Go(func() {
				_, err := x.to(y).Request(within(b), hangID, nil)
				assert.ErrorIs(b, err, ErrDisconnected)
			})
			synctest.Wait()
			require.NoError(b, x.to(y).dial())
			synctest.Wait()
			for _, c := range []*Connection{x.to(y), y.to(x)} {
				c.mu.Lock()
				n := len(c.sessions)
				c.mu.Unlock()
				require.LessOrEqual(b, n, maxSessions)
			}
			time.Sleep(time.Millisecond)
		}
		_, err := x.to(y).Request(within(b), echoID, nil)
		require.NoError(b, err)
		_ = x.Close()
		hung.Wait()
	})
}
