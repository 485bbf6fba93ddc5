package listen

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

func open(t testing.TB, c Config, network, address string) net.Listener {
	t.Helper()
	l, err := c.Listen(context.Background(), network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// reach shows that a connection can be made and accepted.
func reach(t testing.TB, l net.Listener) {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	a, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, a.Close())
}

func TestListen_opens_every_kind_of_listener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "tcp4": ":0", "unix": path, "unixpacket": path + "p"} {
		reach(t, open(t, Config{}, network, address))
	}
	reach(t, open(t, Config{}, "unix", "@ratmom-listen-test"))
}

func TestListen_names_what_is_wrong(t *testing.T) {
	for _, c := range []struct {
		config           Config
		network, address string
		want             string
	}{
		{Config{}, "udp", ":0", "unsupported"},
		{Config{}, "unix", "", "without a path"},
		{Config{}, "unix", "@", "without a path"},
		{Config{}, "unix", "a\x00b", "no NUL"},
		{Config{}, "unix", "/tmp/" + strings.Repeat("x", 103), "at most 107 bytes"},
		{Config{}, "unix", "/does/not/exist", "no such file"},
		{Config{UnixMode: fs.ModeSetuid | 0o600}, "unix", "/tmp/x", "UnixMode"},
		{Config{}, "tcp", "127.0.0.1:99999", "99999"},
	} {
		_, err := c.config.Listen(context.Background(), c.network, c.address)
		assert.ErrorContains(t, err, c.want)
	}
	_, err := Config{}.Listen(context.Background(), "udp", ":0")
	assert.ErrorIs(t, err, errors.ErrUnsupported)
}

func TestListen_replaces_the_file_of_a_process_that_has_ended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	require.FileExists(t, path)

	l := open(t, Config{}, "unix", path)
	reach(t, l)
	require.NoError(t, l.Close())
	assert.NoFileExists(t, path)
}

func TestListen_leaves_alone_what_is_not_stale(t *testing.T) {
	dir := t.TempDir()
	refused := func(path, want string) {
		t.Helper()
		before, err := os.Lstat(path)
		require.NoError(t, err)
		_, err = Config{}.Listen(context.Background(), "unix", path)
		assert.ErrorIs(t, err, syscall.EADDRINUSE)
		assert.ErrorContains(t, err, want)
		after, err := os.Lstat(path)
		require.NoError(t, err)
		assert.True(t, os.SameFile(before, after))
	}
	live := filepath.Join(dir, "live")
	l := open(t, Config{}, "unix", live)
	refused(live, "somebody listens there")
	_ = l

	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("precious"), 0o600))
	refused(file, "another kind of file")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(live, link))
	refused(link, "another kind of file")

	datagram := filepath.Join(dir, "datagram")
	d, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: datagram, Net: "unixgram"})
	require.NoError(t, err)
	defer d.Close()
	refused(datagram, "wrong type")

	// A server that does not get round to accepting is alive, too.
	full := filepath.Join(dir, "full")
	fd := testserver.Socket(t, syscall.AF_UNIX)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: full}))
	require.NoError(t, syscall.Listen(fd, 0))
	c, err := net.Dial("unix", full)
	require.NoError(t, err)
	defer c.Close()
	refused(full, "temporarily unavailable")
}

func TestListen_lets_one_of_many_have_a_stale_path(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 20 {
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		require.NoError(t, err)
		dead.SetUnlinkOnClose(false)
		require.NoError(t, dead.Close())
		var wg sync.WaitGroup
		var won atomic.Pointer[net.Listener]
		for range 8 {
			wg.Go(func() {
				l, err := Config{}.Listen(context.Background(), "unix", path)
				if err != nil {
					assert.ErrorIs(t, err, syscall.EADDRINUSE)
					return
				}
				assert.True(t, won.CompareAndSwap(nil, &l), "two have it")
			})
		}
		wg.Wait()
		// Those that asked whether somebody is there have left connections.
		require.NoError(t, (*won.Load()).Close())
		require.NoFileExists(t, path)
	}
}

func TestListen_does_not_remove_the_file_of_another(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l := open(t, Config{}, "unix", path)
	require.NoError(t, os.Remove(path))
	other := open(t, Config{}, "unix", path)
	require.NoError(t, l.Close())
	reach(t, other)
	require.NoError(t, other.Close())
	assert.NoFileExists(t, path)
}

func TestListen_waits_for_the_lock_of_the_folder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	unlock, err := lockFolder(context.Background(), path)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Config{}.Listen(ctx, "unix", path)
	assert.ErrorContains(t, err, "holds the lock")
	opened := make(chan net.Listener)
	go func() {
		l, err := Config{}.Listen(context.Background(), "unix", path)
		assert.NoError(t, err)
		opened <- l
	}()
	unlock()
	require.NoError(t, (<-opened).Close())
}

func TestListen_gives_the_file_of_a_socket_its_mode(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	for _, mode := range []fs.FileMode{0, 0o600, 0o660, 0o666, 0o777} {
		path := filepath.Join(t.TempDir(), "s")
		open(t, Config{UnixMode: mode}, "unix", path)
		info, err := os.Lstat(path)
		require.NoError(t, err)
		if mode == 0 {
			mode = 0o750
		}
		assert.Equal(t, mode, info.Mode().Perm())
	}
}

func TestReusePort_spreads_connections_over_listeners(t *testing.T) {
	if runtime.GOOS != "linux" {
		_, err := Config{ReusePort: true}.Listen(context.Background(), "tcp", "127.0.0.1:0")
		require.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	c := Config{ReusePort: true}
	first := open(t, c, "tcp", "127.0.0.1:0")
	second := open(t, c, "tcp", first.Addr().String())
	_, err := Config{}.Listen(context.Background(), "tcp", first.Addr().String())
	assert.ErrorIs(t, err, syscall.EADDRINUSE, "without the option")
	var got [2]atomic.Int32
	var wg sync.WaitGroup
	for i, l := range []net.Listener{first, second} {
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				got[i].Add(1)
				_ = c.Close()
			}
		})
	}
	for range 100 {
		conn, err := net.Dial("tcp", first.Addr().String())
		require.NoError(t, err)
		_, _ = conn.Read(make([]byte, 1)) // until it was accepted
		require.NoError(t, conn.Close())
	}
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
	wg.Wait()
	assert.EqualValues(t, 100, got[0].Load()+got[1].Load())
	assert.Greater(t, got[0].Load(), int32(10))
	assert.Greater(t, got[1].Load(), int32(10))
}
