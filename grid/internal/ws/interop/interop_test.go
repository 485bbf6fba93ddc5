package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ratmom/ratmom/grid/internal/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs test on a connection of us with every library, in both roles.
func each(t *testing.T, test func(t *testing.T, us *ws.Conn, them Conn)) {
	libraries := append(Libraries(), ZeroMask())
	own := libraries[0]
	for _, l := range libraries {
		t.Run("we dial "+l.Name, func(t *testing.T) {
			p := connect(t, own, l)
			test(t, p.Client.(ours).Conn, p.Server)
		})
		t.Run(l.Name+" dials us", func(t *testing.T) {
			p := connect(t, l, own)
			test(t, p.Server.(ours).Conn, p.Client)
		})
	}
}

func connect(t *testing.T, a, b Library) *Pair {
	t.Helper()
	p, err := Connect(a, b)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func TestMessages_of_every_size_arrive_both_ways(t *testing.T) {
	each(t, func(t *testing.T, us *ws.Conn, them Conn) {
		into := make([]byte, limit+1) // with room to see the end
		for _, n := range []int{1, 125, 126, 127, 65535, 65536, 300_000} {
			sent := make([]byte, n)
			_, _ = rand.Read(sent)
			parts := net.Buffers{sent[:n/3], sent[n/3 : n/2], sent[n/2:]}
			for _, way := range []struct{ from, to Conn }{{ours{us}, them}, {them, ours{us}}} {
				done := make(chan error, 1)
				go func() { done <- way.from.Send(parts) }()
				got, err := way.to.Receive(into)
				require.NoError(t, err)
				assert.True(t, bytes.Equal(sent, into[:got]), "%d bytes", n)
				require.NoError(t, <-done)
			}
		}
	})
}

func TestMessages_that_others_fragment_are_joined(t *testing.T) {
	each(t, func(t *testing.T, us *ws.Conn, them Conn) {
		whole := make([]byte, 100000)
		_, _ = rand.Read(whole)
		done := make(chan error, 1)
		go func() { done <- inFragments(them, whole) }()
		into := make([]byte, limit+1) // with room to see the end
		got, err := ours{us}.Receive(into)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(whole, into[:got]))
		require.NoError(t, <-done)
	})
}

// inFragments sends a message in several frames, with a ping between where the library can.
func inFragments(c Conn, whole []byte) error {
	first, second := whole[:10], whole[10:]
	switch c := c.(type) {
	case *gob:
		return errors.Join(
			c.frame(gobwas.OpBinary, false, len(first), net.Buffers{first}),
			c.frame(gobwas.OpPing, true, 1, net.Buffers{{'p'}}),
			c.frame(gobwas.OpContinuation, false, 0, nil),
			c.frame(gobwas.OpContinuation, true, len(second), net.Buffers{second}),
		)
	case *coder:
		w, err := c.Writer(context.Background(), websocket.MessageBinary)
		if err != nil {
			return err
		}
		_, err1 := w.Write(first)
		_, err2 := w.Write(second)
		return errors.Join(err1, err2, w.Close())
	default:
		return c.Send(net.Buffers{first, second})
	}
}

func TestPings_of_each_reach_the_other(t *testing.T) {
	for _, weDial := range []bool{true, false} {
		libraries := Libraries()
		from, to := libraries[0], libraries[1]
		if !weDial {
			from, to = to, from
		}
		p := connect(t, from, to)
		us, them := p.Client, p.Server
		if !weDial {
			us, them = them, us
		}
		c, other := us.(ours).Conn, them.(*coder)

		// Theirs waits for the pong, and the reader of each must be at work.
		heard := make(chan string, 4)
		c.Handle(func(b []byte) { heard <- "ping " + string(b) }, func(b []byte) { heard <- "pong " + string(b) })
		read := make(chan error, 2)
		go func() {
			_, err := c.Next()
			read <- err
		}()
		go func() {
			_, err := other.Receive(make([]byte, 10))
			read <- err
		}()
		require.NoError(t, c.WritePing([]byte("ours")))
		assert.Equal(t, "pong ours", <-heard)
		ping := make(chan error, 1)
		go func() { ping <- other.Ping(context.Background()) }()
		payload, ok := strings.CutPrefix(<-heard, "ping ")
		require.True(t, ok)
		require.NoError(t, c.WritePong([]byte(payload)))
		require.NoError(t, <-ping)
		p.Close()
		require.Error(t, <-read)
		require.Error(t, <-read)
	}
}

func TestClosing_is_understood_by_coder(t *testing.T) {
	for _, weDial := range []bool{true, false} {
		libraries := Libraries()
		pair := func() (*ws.Conn, *coder) {
			if weDial {
				p := connect(t, libraries[0], libraries[1])
				return p.Client.(ours).Conn, p.Server.(*coder)
			}
			p := connect(t, libraries[1], libraries[0])
			return p.Server.(ours).Conn, p.Client.(*coder)
		}

		// They close, and wait for our answer.
		us, them := pair()
		closed := make(chan error, 1)
		go func() { closed <- them.Conn.Close(websocket.StatusGoingAway, "bye") }()
		_, err := us.Next()
		var e *ws.CloseError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, ws.CloseError{Code: ws.CloseGoingAway, Reason: "bye"}, *e)
		require.NoError(t, us.WriteClose(e.Code, e.Reason))
		_ = us.Close()
		assert.NoError(t, <-closed)

		// We close, and they answer.
		us, them = pair()
		require.NoError(t, us.WriteClose(ws.ClosePolicy, "no"))
		_, err = them.Receive(make([]byte, 1))
		assert.Equal(t, websocket.StatusPolicyViolation, websocket.CloseStatus(err))
		_, err = us.Next()
		require.ErrorAs(t, err, &e)
		assert.Equal(t, ws.ClosePolicy, e.Code)
	}
}

func TestText_is_refused(t *testing.T) {
	each(t, func(t *testing.T, us *ws.Conn, them Conn) {
		switch them := them.(type) {
		case *coder:
			require.NoError(t, them.Write(context.Background(), websocket.MessageText, []byte("text")))
		case *gob:
			require.NoError(t, them.frame(gobwas.OpText, true, 4, net.Buffers{[]byte("text")}))
		default:
			return // it sends none
		}
		_, err := us.Next()
		assert.Equal(t, ws.ErrText, err)
	})
}

func TestMessages_beyond_the_limit_are_refused(t *testing.T) {
	each(t, func(t *testing.T, us *ws.Conn, them Conn) {
		us.SetLimit(1000)
		require.NoError(t, them.Send(net.Buffers{make([]byte, 1001)}))
		_, err := us.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, us) // it came in fragments
		}
		assert.Equal(t, ws.ErrTooBig, err)
	})
}
