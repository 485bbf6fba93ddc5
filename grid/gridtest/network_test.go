package gridtest

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair is a connection from node a to node b of a new network.
func pair(t *testing.T, f Faults) (n *Network, a, b *Conn) {
	t.Helper()
	n = New(1)
	t.Cleanup(n.Close)
	n.SetAll(f)
	a, b = connect(t, n)
	return n, a, b
}

func connect(t *testing.T, n *Network) (a, b *Conn) {
	t.Helper()
	l, err := n.Listen("b")
	if err != nil {
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		n.mu.Lock()
		l = n.listeners["b"]
		n.mu.Unlock()
	}
	x, err := n.Dial(t.Context(), "a", "b")
	require.NoError(t, err)
	y, err := l.Accept()
	require.NoError(t, err)
	return x.(*Conn), y.(*Conn)
}

// pattern is n bytes of which each has its own value, more or less.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func TestDial_is_refused_where_nobody_listens(t *testing.T) {
	n := New(1)
	_, err := n.Dial(t.Context(), "a", "b")
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	l, err := n.Listen("b")
	require.NoError(t, err)
	_, err = n.Listen("b")
	assert.ErrorIs(t, err, syscall.EADDRINUSE)
	require.NoError(t, l.Close())
	assert.ErrorIs(t, l.Close(), net.ErrClosed)
	_, err = l.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = n.Dialer("a")(t.Context(), "tcp", "b:9000")
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	n.Close()
	_, err = n.Listen("b")
	assert.ErrorIs(t, err, net.ErrClosed)
	_, err = n.Dial(t.Context(), "a", "b")
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestDial_waits_when_the_backlog_is_full(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		l, err := n.Listen("b")
		require.NoError(t, err)
		for range backlog {
			_, err = n.Dial(t.Context(), "a", "b")
			require.NoError(t, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = n.Dial(ctx, "a", "b")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, backlog, n.Open("a"))
		done := make(chan error, 1)
		go func() {
			_, err := n.Dial(t.Context(), "a", "b")
			done <- err
		}()
		synctest.Wait()
		_, err = l.Accept()
		require.NoError(t, err)
		assert.NoError(t, <-done)
	})
}

func TestConn_carries_both_ways_and_can_be_half_closed(t *testing.T) {
	_, a, b := pair(t, Faults{})
	assert.Equal(t, "b:0", a.RemoteAddr().String())
	assert.Equal(t, a.LocalAddr(), b.RemoteAddr())
	assert.Equal(t, "gridtest", a.LocalAddr().Network())
	sent := pattern(200 << 10)
	n, err := a.Write(sent)
	require.NoError(t, err)
	assert.Equal(t, len(sent), n)
	require.NoError(t, a.CloseWrite())
	_, err = a.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.EPIPE)
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	assert.Equal(t, sent, got)
	_, err = b.Write([]byte("answer"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	got, err = io.ReadAll(a)
	require.NoError(t, err)
	assert.Equal(t, "answer", string(got))
	require.NoError(t, a.Close())
	require.ErrorIs(t, a.Close(), net.ErrClosed)
	_, err = a.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestClose_is_a_reset_when_bytes_were_not_read(t *testing.T) {
	_, a, b := pair(t, Faults{})
	_, err := a.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	_, err = a.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	_, err = a.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestClose_ends_what_waits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t, Faults{Buffer: 1})
		errs := make(chan error, 3)
		go func() { _, err := a.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := a.Write([]byte("xx")); errs <- err }()
		synctest.Wait()
		require.NoError(t, a.Close())
		require.ErrorIs(t, <-errs, net.ErrClosed)
		require.ErrorIs(t, <-errs, net.ErrClosed)
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		assert.Equal(t, "x", string(got))
	})
}

func TestWrites_wait_for_the_reader_when_the_buffer_is_full(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t, Faults{Buffer: 10})
		require.NoError(t, a.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := a.Write(pattern(25))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.True(t, err.(net.Error).Timeout())
		assert.Equal(t, 10, n)
		require.NoError(t, a.SetWriteDeadline(time.Time{}))
		done := make(chan error, 1)
		go func() { _, err := a.Write(pattern(25)[10:]); done <- err }()
		got := make([]byte, 25)
		_, err = io.ReadFull(b, got)
		require.NoError(t, err)
		require.NoError(t, <-done)
		assert.Equal(t, pattern(25), got)
	})
}

func TestDeadlines_wake_reads_and_can_be_moved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t, Faults{})
		start := time.Now()
		require.NoError(t, a.SetReadDeadline(start.Add(time.Minute)))
		require.NoError(t, a.SetReadDeadline(start.Add(time.Hour)))
		_, err := a.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Hour, time.Since(start))
		done := make(chan error, 1)
		require.NoError(t, a.SetReadDeadline(time.Time{}))
		go func() { _, err := a.Read(make([]byte, 1)); done <- err }()
		synctest.Wait()
		require.NoError(t, a.SetDeadline(time.Unix(1, 0)))
		require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
		require.NoError(t, a.SetDeadline(time.Time{}))
		_, err = b.Write([]byte("x"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 1))
		require.NoError(t, err)
	})
}

func TestLatency_delays_bytes_ends_and_dials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		n, a, b := pair(t, Faults{Latency: 20 * time.Millisecond})
		assert.Equal(t, 40*time.Millisecond, time.Since(start))
		start = time.Now()
		_, err := a.Write([]byte("first"))
		require.NoError(t, err)
		time.Sleep(5 * time.Millisecond)
		n.Set("a", "b", Faults{})
		_, err = a.Write([]byte(" second"))
		require.NoError(t, err)
		require.NoError(t, a.CloseWrite())
		got := make([]byte, 100)
		k, err := b.Read(got)
		require.NoError(t, err)
		assert.Equal(t, "first second", string(got[:k]), "nothing overtakes")
		assert.Equal(t, 20*time.Millisecond, time.Since(start))
		_, err = b.Read(got)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, b.Close())
		_, err = a.Read(got)
		require.ErrorIs(t, err, io.EOF)
		assert.Equal(t, 40*time.Millisecond, time.Since(start))
	})
}

func TestBandwidth_is_shared_by_the_connections_of_a_direction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := pair(t, Faults{Bandwidth: 100_000})
		c, d := connect(t, n)
		start := time.Now()
		for _, w := range []*Conn{a, c} {
			go func() {
				_, _ = w.Write(pattern(50_000))
				_ = w.CloseWrite()
			}()
		}
		for _, r := range []*Conn{b, d} {
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			assert.Equal(t, pattern(50_000), got)
		}
		assert.InDelta(t, time.Second, time.Since(start), float64(time.Millisecond))
		assert.EqualValues(t, 100_000, n.Traffic("a", "b"))
	})
}
