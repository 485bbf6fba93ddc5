package listen

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ready gives sockets of a process that is ready.
func ready(t *testing.T) *Sockets {
	t.Helper()
	s, err := OpenSockets(Config{})
	require.NoError(t, err)
	require.NoError(t, s.Ready(context.Background()))
	return s
}

// other is a command for this program in a role, with a pipe at which it says things.
func other(t *testing.T, role string, env ...string) (cmd *exec.Cmd, said *os.File) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd = exec.Command(exe)
	cmd.Env = append(os.Environ(), append(env, roleVariable+"="+role)...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	said, write, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = write
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = write.Close()
		_, _ = io.Copy(io.Discard, said) // its end has come when it is gone
		_ = said.Close()
	})
	return cmd, said
}

func TestRestart_makes_this_process_the_old_one(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := ready(t)
	path := filepath.Join(t.TempDir(), "s")
	l, err := s.Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u, err := s.Listen(ctx, "unix", path)
	require.NoError(t, err)
	spare, err := s.Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, spare.Close(), "what is closed is not handed over")
	accepting := make(chan error)
	go func() {
		_, err := l.Accept()
		accepting <- err
	}()

	cmd, _ := other(t, "server", addrVariable+"=tcp 127.0.0.1:0,unix "+path)
	cmd.ExtraFiles = []*os.File{os.Stderr}
	require.NoError(t, s.Restart(ctx, cmd))
	<-s.Draining()
	assert.ErrorIs(t, s.Restart(ctx, nil), ErrHandedOver)
	_, err = s.Listen(ctx, "tcp", "127.0.0.1:0")
	assert.ErrorIs(t, err, ErrHandedOver)

	// The addresses are those of the other process, and Accept waits for Close.
	for range 20 {
		answer, err := oneConnection("tcp", l.Addr().String())()
		require.NoError(t, err)
		assert.Contains(t, answer, "127.0.0.1:")
		_, err = oneConnection("unix", path)()
		require.NoError(t, err)
	}
	select {
	case err := <-accepting:
		assert.Fail(t, "Accept has ended", "%v", err)
	default:
	}
	require.NoError(t, l.Close())
	assert.ErrorIs(t, <-accepting, net.ErrClosed)
	require.NoError(t, u.Close())
	assert.FileExists(t, path)
}

func TestRestart_is_one_at_a_time(t *testing.T) {
	s := ready(t)
	fault := filepath.Join(t.TempDir(), "fault")
	require.NoError(t, os.WriteFile(fault, []byte("hang"), 0o600))
	cmd, said := other(t, "server", addrVariable+"=tcp 127.0.0.1:0", faultVariable+"="+fault)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Restart(ctx, cmd) }()
	_, err := said.Read(make([]byte, 1)) // it is there, and hangs
	require.NoError(t, err)
	assert.ErrorIs(t, s.Restart(context.Background(), nil), ErrRestarting)
	_, err = s.Listen(context.Background(), "tcp", "127.0.0.1:0")
	assert.ErrorIs(t, err, ErrRestarting)
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
	assert.NotNil(t, cmd.ProcessState, "it is gone")
	l, err := s.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

// successor gives sockets whose process before is the other end of the connection.
func successor(t *testing.T) (*Sockets, net.Conn) {
	t.Helper()
	s, err := OpenSockets(Config{})
	require.NoError(t, err)
	before, theirs, err := controlPair()
	require.NoError(t, err)
	t.Cleanup(func() { _ = before.Close() })
	control, err := net.FileConn(theirs)
	require.NoError(t, err)
	require.NoError(t, theirs.Close())
	s.previous = &previous{control: control}
	require.True(t, s.Successor())
	return s, before
}

func TestReady_waits_for_the_process_before(t *testing.T) {
	t.Run("which gives the sockets", func(t *testing.T) {
		s, before := successor(t)
		done := make(chan error)
		go func() { done <- s.Ready(context.Background()) }()
		require.NoError(t, expect(before, wordReady))
		assert.True(t, s.Successor(), "not yet")
		for _, b := range []byte(wordGo) {
			_, err := before.Write([]byte{b})
			require.NoError(t, err)
		}
		require.NoError(t, <-done)
		assert.False(t, s.Successor())
	})
	t.Run("which has died: there is nobody else to serve", func(t *testing.T) {
		s, before := successor(t)
		require.NoError(t, before.Close())
		require.NoError(t, s.Ready(context.Background()))
	})
	t.Run("which hangs", func(t *testing.T) {
		s, _ := successor(t)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, s.Ready(ctx), context.DeadlineExceeded)
		assert.ErrorIs(t, s.Restart(context.Background(), nil), ErrNotReady)
	})
	t.Run("which says something else", func(t *testing.T) {
		s, before := successor(t)
		go func() { _, _ = before.Write([]byte("xx\n")) }()
		assert.ErrorContains(t, s.Ready(context.Background()), "says")
	})
}
