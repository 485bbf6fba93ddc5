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

// arrivals are the sizes of reads and when they returned.
type arrival struct {
	size int
	at   time.Duration
}

func arrivals(t *testing.T, seed uint64) []arrival {
	t.Helper()
	n := New(seed)
	defer n.Close()
	n.SetAll(Faults{Latency: time.Millisecond, Jitter: time.Second, Chop: 50, ShortReads: 30})
	a, b := connect(t, n)
	start := time.Now()
	_, err := a.Write(pattern(1000))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	var all []arrival
	var got []byte
	for {
		piece := make([]byte, 1000)
		k, err := b.Read(piece)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		assert.LessOrEqual(t, k, 30)
		got = append(got, piece[:k]...)
		all = append(all, arrival{k, time.Since(start)})
	}
	assert.Equal(t, pattern(1000), got)
	return all
}

func TestFaults_are_the_same_for_the_same_seed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := arrivals(t, 7)
		assert.Greater(t, len(first), 1000/30)
		assert.Equal(t, first, arrivals(t, 7))
		assert.NotEqual(t, first, arrivals(t, 8))
	})
}

func TestResetAt_cuts_a_write_short_at_the_byte(t *testing.T) {
	_, a, b := pair(t, Faults{ResetAt: 10})
	n, err := a.Write(pattern(7))
	require.NoError(t, err)
	assert.Equal(t, 7, n)
	n, err = a.Write(pattern(7))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Equal(t, 3, n)
	got, err := io.ReadAll(b)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Len(t, got, 10)
	_, err = b.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	_, err = a.Read(got)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestCorruptAt_changes_one_byte(t *testing.T) {
	_, a, b := pair(t, Faults{CorruptAt: 12})
	for range 3 {
		_, err := a.Write(make([]byte, 10))
		require.NoError(t, err)
	}
	got := make([]byte, 30)
	_, err := io.ReadFull(b, got)
	require.NoError(t, err)
	for i, c := range got {
		assert.Equal(t, i == 11, c != 0, "byte %d", i)
	}
}

func TestStalled_paths_deliver_when_they_are_open_again(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := pair(t, Faults{})
		n.Set("a", "b", Faults{Path: Stalled})
		_, err := a.Write([]byte("held"))
		require.NoError(t, err)
		require.NoError(t, a.CloseWrite())
		require.NoError(t, b.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err = b.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_, err = b.Write([]byte("other way"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 9))
		require.NoError(t, err)

		n.Set("a", "b", Faults{})
		require.NoError(t, b.SetReadDeadline(time.Time{}))
		got, err := io.ReadAll(b)
		require.NoError(t, err)
		assert.Equal(t, "held", string(got))
	})
}

func TestDark_paths_lose_what_is_written_and_the_rest_of_the_connection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := pair(t, Faults{Buffer: 100})
		_, err := a.Write([]byte("arrived"))
		require.NoError(t, err)
		n.Set("a", "b", Faults{Path: Dark, Buffer: 100})
		require.NoError(t, a.SetDeadline(time.Now().Add(time.Second)))
		k, err := a.Write(pattern(1000))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 93, k, "until the buffer is full")
		n.Set("a", "b", Faults{})
		require.NoError(t, a.Close())
		got := make([]byte, 100)
		k, err = b.Read(got)
		require.NoError(t, err)
		assert.Equal(t, "arrived", string(got[:k]))
		require.NoError(t, b.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err = b.Read(got)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "dark for good, the end included")
		c, d := connect(t, n)
		_, err = c.Write([]byte("x"))
		require.NoError(t, err)
		_, err = d.Read(got)
		require.NoError(t, err)
	})
}

func TestVanishing_paths_never_block(t *testing.T) {
	n, a, b := pair(t, Faults{})
	n.Set("a", "b", Faults{Path: Vanishing})
	k, err := a.Write(make([]byte, 10*DefaultBuffer))
	require.NoError(t, err)
	assert.Equal(t, 10*DefaultBuffer, k)
	require.NoError(t, b.SetReadDeadline(time.Unix(1, 0)))
	_, err = b.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestPartition_holds_dials_until_it_heals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		_, err := n.Listen("b")
		require.NoError(t, err)
		n.SetAll(Faults{Latency: time.Second})
		n.Partition(Dark, []string{"a"}, []string{"b", "c"})
		assert.Equal(t, Faults{Path: Dark, Latency: time.Second}, n.Faults("c", "a"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = n.Dial(ctx, "a", "b")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		done := make(chan error, 1)
		go func() { _, err := n.Dial(t.Context(), "a", "b"); done <- err }()
		synctest.Wait()
		n.Partition(Open, []string{"a"}, []string{"b", "c"})
		require.NoError(t, <-done)
	})
}

func TestKill_ends_a_node_in_the_way_that_was_asked_for(t *testing.T) {
	for how, want := range map[Death]error{WithReset: syscall.ECONNRESET, WithEnd: io.EOF, Silent: os.ErrDeadlineExceeded} {
		synctest.Test(t, func(t *testing.T) {
			n, a, b := pair(t, Faults{})
			n.Kill("b", how)
			_, err := b.Read(make([]byte, 1))
			require.ErrorIs(t, err, net.ErrClosed)
			_, err = b.Write(make([]byte, 1))
			require.ErrorIs(t, err, net.ErrClosed)
			require.NoError(t, a.SetDeadline(time.Now().Add(time.Hour)))
			_, err = a.Read(make([]byte, 1))
			require.ErrorIs(t, err, want)
			require.NoError(t, a.SetDeadline(time.Now().Add(time.Hour)))
			_, err = a.Write(make([]byte, 2*DefaultBuffer))
			if how == Silent {
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			} else {
				require.ErrorIs(t, err, syscall.ECONNRESET)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = n.Dial(ctx, "a", "b")
			if how == Silent {
				require.ErrorIs(t, err, context.DeadlineExceeded)
			} else {
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
			}
			assert.Equal(t, 0, n.Open("b"))
			assert.Equal(t, 1, n.Open("a"))
			c, d := connect(t, n)
			n.Reset("b", "a")
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(t, err, syscall.ECONNRESET)
			_, err = d.Read(make([]byte, 1))
			require.ErrorIs(t, err, syscall.ECONNRESET)
		})
	}
}
