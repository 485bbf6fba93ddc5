package grid

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/gridtest"
)

// bubble is a network in memory with time of its own, and the servers on it.
type bubble struct {
	*testing.T
	net *gridtest.Network
}

// inBubble runs f in a bubble of testing/synctest.
func inBubble(t *testing.T, f func(b *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		n := gridtest.New(1)
		t.Cleanup(n.Close)
		f(&bubble{t, n})
	})
}

// start makes a server. All know each other by name.
func (b *bubble) start(name string, change func(*Config)) *node {
	b.Helper()
	l, err := b.net.Listen(name)
	require.NoError(b, err)
	cfg := Config{Self: name, Dial: b.net.Dialer(name)}
	for _, peer := range []string{"a", "b"} {
		cfg.Peers = append(cfg.Peers, Peer{Name: peer})
	}
	if change != nil {
		change(&cfg)
	}
	return start(b, l, cfg)
}

// pair makes two connected servers.
func (b *bubble) pair(change func(*Config)) (x, y *node) {
	b.Helper()
	x, y = b.start("a", change), b.start("b", change)
	ready(b, x, y)
	return x, y
}

// kill ends a server as if its process were killed. How it ends for the others is said by how.
func (b *bubble) kill(n *node, how gridtest.Death) {
	b.net.Kill(n.Self(), how)
	n.stop()
}

func TestConnection_comes_back_at_once_after_a_reset(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := b.pair(nil)
		for range 20 {
			hung := make(chan error, 1)
			go func() {
				_, err := x.to(y).Request(context.Background(), hangID, nil)
				hung <- err
			}()
			synctest.Wait()
			old := x.to(y).current.Load()
			b.net.Reset("a", "b")
			err := <-hung
			require.ErrorIs(b, err, ErrDisconnected)
			var e *Error
			require.ErrorAs(b, err, &e)
			require.Equal(b, MaybeExecuted, e.Sent)
			began := time.Now()
			<-old.gone
			_, err = x.to(y).Request(within(b), echoID, []byte("again"), WaitForReady())
			require.NoError(b, err)
			require.Less(b, time.Since(began), 6*time.Second)
			time.Sleep(11 * time.Second) // it counts as one that works
		}
	})
}

// changed lets time pass until the next thing can happen.
func changed(b *bubble) {
	synctest.Wait()
	time.Sleep(time.Millisecond)
}
