package grid

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Manager.Connection is nil for a peer that is not known. What is asked of it has an error, and does not panic.
func TestConnection_to_a_peer_that_is_not_known_refuses_requests(t *testing.T) {
	m, err := NewManager(Config{Self: "a"})
	require.NoError(t, err)
	defer func() { _ = m.Close() }()
	none := m.Connection("b")
	require.Nil(t, none)
	ctx := context.Background()
	for name, ask := range map[string]func() error{
		"Request":         func() error { _, err := none.Request(ctx, echoID, nil); return err },
		"with an option":  func() error { _, err := none.Request(ctx, echoID, nil, Retry(3), WaitForReady()); return err },
		"Do":              func() error { _, err := none.Do(ctx, echoID, nil); return err },
		"OpenStream":      func() error { _, err := none.OpenStream(ctx, pingPongID, nil); return err },
		"NewStream":       func() error { _, err := none.NewStream(ctx, pingPongID, nil); return err },
		"WaitReady":       func() error { return none.WaitReady(ctx) },
		"a typed request": func() error { _, err := Single[string, string](echoID).Call(ctx, none, ""); return err },
	} {
		err := ask()
		require.ErrorIs(t, err, ErrDisconnected, name)
		var e *Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, NotSent, e.Sent, name)
		require.ErrorContains(t, err, "not known", name)
	}
}

var errNobody = errors.New("nobody is there")

// Who has waited for a connection in vain is told why there was none.
func TestWaitForReady_that_ends_says_why_there_was_no_connection(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x := b.start("a", func(c *Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errNobody }
		})
		c := x.Connection("b")
		why := errors.New("enough")
		for name, ask := range map[string]func(context.Context) error{
			"Request":    func(ctx context.Context) error { _, err := c.Request(ctx, echoID, nil, WaitForReady()); return err },
			"OpenStream": func(ctx context.Context) error { _, err := c.OpenStream(ctx, echoID, nil, WaitForReady()); return err },
			"WaitReady":  c.WaitReady,
		} {
			wait := func(ctx context.Context) (e *Error) {
				require.ErrorAs(b, ask(ctx), &e, name)
				require.Equal(b, NotSent, e.Sent, name)
				require.ErrorIs(b, e, errNobody, name)
				require.NotErrorIs(b, e, ErrDisconnected, name)
				return e
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			e := wait(ctx)
			require.ErrorIs(b, e, context.DeadlineExceeded, name)
			require.Equal(b, "grid: b: deadline exceeded: not connected: nobody is there", e.Error(), name)
			cancel()
			stopped, stop := context.WithCancelCause(context.Background())
			stop(why)
			e = wait(stopped)
			require.ErrorIs(b, e, context.Canceled, name)
			require.ErrorIs(b, e, why, name)
			require.Equal(b, "grid: b: canceled: enough: not connected: nobody is there", e.Error(), name)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := c.Request(ctx, echoID, nil)
		require.ErrorIs(b, err, ErrDisconnected, "at once, without WaitForReady")
		require.ErrorContains(b, err, "nobody is there")
	})
}
