package listen

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// load is clients that send requests without a break, and count those that are lost.
type load struct {
	stop     chan struct{}
	wg       sync.WaitGroup
	answered atomic.Int64
	mu       sync.Mutex
	lost     []string
	by       map[string]int // answers by process
}

func newLoad() *load { return &load{stop: make(chan struct{}), by: map[string]int{}} }

// send sends with n clients.
func (l *load) send(n int, request func() (answer string, err error)) {
	for range n {
		l.wg.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				answer, err := request()
				pid, _, _ := strings.Cut(answer, " ")
				l.mu.Lock()
				if err != nil {
					l.lost = append(l.lost, err.Error())
				} else {
					l.by[pid]++
				}
				l.mu.Unlock()
				l.answered.Add(1)
			}
		})
	}
}

// more waits for a number of further answers.
func (l *load) more(t testing.TB, n int64) {
	t.Helper()
	from := l.answered.Load()
	require.Eventually(t, func() bool { return l.answered.Load() >= from+n }, patience, time.Millisecond)
}

func (l *load) end() {
	close(l.stop)
	l.wg.Wait()
}

// oneConnection sends one request over a connection of its own, without any retry.
func oneConnection(network, address string) func() (string, error) {
	return func() (string, error) {
		c, err := net.DialTimeout(network, address, patience)
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
			return "", err
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		return body(resp)
	}
}

// post sends POSTs, which are not repeated, over connections that are kept.
func post(client *http.Client, url string) func() (string, error) {
	return func() (string, error) {
		resp, err := client.Post(url, "text/plain", strings.NewReader("hello"))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		return body(resp)
	}
}

func body(resp *http.Response) (string, error) {
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s: %s", resp.Status, b)
	}
	return string(b), err
}

func keeping(t testing.TB) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 10}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func TestRestart_loses_no_request_under_load(t *testing.T) {
	t.Run("net/http", func(t *testing.T) { restartUnderLoad(t, oursVariable+"=") })
	t.Run("ours", func(t *testing.T) { restartUnderLoad(t, oursVariable+"=1") })
}

func restartUnderLoad(t *testing.T, env string) {
	path := filepath.Join(t.TempDir(), "s")
	g := start(t, "server", addrVariable+"=tcp 127.0.0.1:0,unix "+path, env)
	pid, addresses := g.ready(t)
	l := newLoad()
	l.send(3, oneConnection("tcp", addresses[0]))
	l.send(2, oneConnection("unix", path))
	l.send(3, post(keeping(t), "http://"+addresses[0]))
	const restarts = 4
	for range restarts {
		l.more(t, 500)
		require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
		pid = g.replaced(t, pid)
	}
	l.more(t, 500)
	l.end()
	assert.Empty(t, l.lost)
	assert.Len(t, l.by, 1+restarts, "every process has answered")
	t.Logf("%d requests, none lost", l.answered.Load())

	// The file of the socket goes with the last process alone.
	assert.FileExists(t, path)
	require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
	for range g.lines {
	}
	assert.NoFileExists(t, path)
}

func TestRestart_loses_no_request_behind_HAProxy(t *testing.T) {
	t.Run("net/http", func(t *testing.T) { restartBehindHAProxy(t, oursVariable+"=") })
	t.Run("ours", func(t *testing.T) { restartBehindHAProxy(t, oursVariable+"=1") })
}

func restartBehindHAProxy(t *testing.T, env string) {
	g := start(t, "server", addrVariable+"=tcp 127.0.0.1:0", proxyVariable+"=1", env)
	pid, addresses := g.ready(t)
	proxy := testserver.HAProxy(t, addresses[0]+" send-proxy-v2")
	l := newLoad()
	l.send(4, post(keeping(t), proxy.URL))
	for range 3 {
		l.more(t, 300)
		require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
		pid = g.replaced(t, pid)
	}
	l.more(t, 300)
	l.end()
	assert.Empty(t, l.lost)
	assert.Len(t, l.by, 4)
}

func TestRestart_leaves_the_old_process_serving_when_the_new_one_fails(t *testing.T) {
	dir := t.TempDir()
	path, fault := filepath.Join(dir, "s"), filepath.Join(dir, "fault")
	g := start(t, "server", addrVariable+"=tcp 127.0.0.1:0,unix "+path, faultVariable+"="+fault)
	pid, addresses := g.ready(t)
	l := newLoad()
	l.send(2, oneConnection("tcp", addresses[0]))
	l.send(2, oneConnection("unix", path))
	l.send(2, post(keeping(t), "http://"+addresses[0]))
	for how, want := range map[string]string{
		"exit": "exit status 1", "close": "exit status 1", "hang": "not ready in time",
	} {
		require.NoError(t, os.WriteFile(fault, []byte(how), 0o600))
		require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
		by, said := g.next(t)
		assert.NotEqual(t, pid, by, "the new one: %s", said)
		by, words := g.next(t)
		assert.Equal(t, pid, by)
		assert.Contains(t, words, want)
		assert.True(t, strings.HasPrefix(words, "stays: listen: restart: "), "%q", words)
		l.more(t, 100)
	}
	// And then it works.
	require.NoError(t, os.Remove(fault))
	require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
	g.replaced(t, pid)
	l.more(t, 100)
	l.end()
	assert.Empty(t, l.lost)
	assert.Len(t, l.by, 2)
	assert.FileExists(t, path)
}

func TestRestart_tells_systemd_who_the_main_process_is(t *testing.T) {
	dir := t.TempDir()
	path, fault := filepath.Join(dir, "notify"), filepath.Join(dir, "fault")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer notify.Close()
	require.NoError(t, notify.SetReadDeadline(time.Now().Add(patience)))
	told := func() string {
		b := make([]byte, 1000)
		n, err := notify.Read(b)
		require.NoError(t, err)
		return string(b[:n])
	}
	g := start(t, "server", addrVariable+"=tcp 127.0.0.1:0", faultVariable+"="+fault, "NOTIFY_SOCKET="+path)
	pid, _ := g.ready(t)
	assert.Equal(t, "READY=1", told())

	require.NoError(t, os.WriteFile(fault, []byte("exit"), 0o600))
	require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
	assert.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+$`, told())
	assert.Equal(t, fmt.Sprintf("MAINPID=%d\nREADY=1\nSTATUS=restart failed", pid), told())
	g.next(t)
	g.next(t)

	require.NoError(t, os.Remove(fault))
	require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
	assert.Regexp(t, `^RELOADING=1\n`, told())
	next := told()
	assert.Equal(t, fmt.Sprintf("MAINPID=%d\nREADY=1", g.replaced(t, pid)), next)
}

func TestRestart_is_refused_when_it_makes_no_sense(t *testing.T) {
	s, err := OpenSockets(Config{})
	require.NoError(t, err)
	assert.False(t, s.Successor())
	assert.ErrorIs(t, s.Restart(context.Background(), nil), ErrNotReady)
	require.NoError(t, s.Ready(context.Background()))
	require.NoError(t, s.Ready(context.Background()), "a second time")
	s.program = "/does/not/exist"
	err = s.Restart(context.Background(), nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
	l, err := s.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err, "after a restart that failed")
	require.NoError(t, l.Close())
	assert.ErrorIs(t, l.Close(), net.ErrClosed)
	_, err = l.Accept()
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestOpenSockets_refuses_a_handover_that_is_none(t *testing.T) {
	for _, words := range []string{"", "{", `{"control":0}`, `{"control":999}`} {
		t.Setenv(handoverVariable, words)
		_, err := OpenSockets(Config{})
		assert.ErrorContains(t, err, handoverVariable, "%q", words)
		_, still := os.LookupEnv(handoverVariable)
		assert.False(t, still)
	}
}

func TestDuplicate_leaves_a_listener_in_non_blocking_mode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	f, err := duplicate(l)
	require.NoError(t, err)
	defer f.Close()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFL, 0)
	require.Zero(t, errno)
	assert.NotZero(t, flags&syscall.O_NONBLOCK)
}
