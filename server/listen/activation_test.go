package listen

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// beActivated says what it got by name and by address, and serves it.
func beActivated() error {
	sockets, err := OpenSockets(Config{})
	if err != nil {
		return err
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if _, ok := os.LookupEnv(name); ok {
			return fmt.Errorf("%s is still there", name)
		}
	}
	addresses := []string{}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getpid())
	})}
	named := sockets.Named("http")
	if again := sockets.Named("http"); len(again) != 0 {
		return fmt.Errorf("%d sockets a second time", len(again))
	}
	network, address, _ := strings.Cut(os.Getenv(addrVariable), " ")
	l, err := sockets.Listen(context.Background(), network, address)
	if err != nil {
		return err
	}
	for _, l := range append(named, l) {
		addresses = append(addresses, l.Addr().String())
		go func() { _ = server.Serve(l) }()
	}
	if err := sockets.Ready(context.Background()); err != nil {
		return err
	}
	fmt.Println(os.Getpid(), "ready", strings.Join(addresses, ","))
	select {}
}

// activate starts the program in a role as systemd would, with sockets of these names.
// It begins with the first connection.
func activate(t *testing.T, role string, names string, env ...string) (*generations, []string) {
	t.Helper()
	tool, err := exec.LookPath("systemd-socket-activate")
	if err != nil {
		testserver.Lacks(t, "systemd-socket-activate is not installed (Debian: systemd)")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	var addresses, args []string
	var taken []net.Listener
	for range strings.Split(names, ":") {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		taken = append(taken, l) // until the last: no port comes twice
		addresses = append(addresses, l.Addr().String())
		args = append(args, "-l", l.Addr().String())
	}
	for _, l := range taken {
		require.NoError(t, l.Close())
	}
	env = append(env, roleVariable+"="+role, addrVariable+"=tcp "+addresses[len(addresses)-1])
	args = append(args, "--fdname", names)
	for _, entry := range env {
		args = append(args, "-E", entry)
	}
	return startCommand(t, exec.Command(tool, append(args, exe)...), env), addresses
}

func TestOpenSockets_takes_what_systemd_passes(t *testing.T) {
	g, addresses := activate(t, "activated", "http:other")
	answers := knock(addresses[0])
	pid, got := g.ready(t)
	assert.Equal(t, addresses, got, "by name, then by address")
	assert.Equal(t, fmt.Sprint(pid), <-answers)
	assert.Equal(t, fmt.Sprint(pid), ask(t, keeping(t), "http://"+addresses[1]))
}

// knock asks until there is an answer.
func knock(address string) <-chan string {
	answers := make(chan string, 1)
	go func() {
		for until := time.Now().Add(patience); time.Now().Before(until); {
			if answer, err := oneConnection("tcp", address)(); err == nil {
				answers <- answer
				return
			}
		}
		close(answers)
	}()
	return answers
}

func TestRestart_passes_the_sockets_of_systemd_on(t *testing.T) {
	g, addresses := activate(t, "server", "http")
	answers := knock(addresses[0])
	pid, _ := g.ready(t)
	assert.NotEmpty(t, <-answers)
	l := newLoad()
	l.send(3, oneConnection("tcp", addresses[0]))
	for range 2 {
		l.more(t, 100)
		require.NoError(t, syscall.Kill(pid, syscall.SIGHUP))
		pid = g.replaced(t, pid)
	}
	l.more(t, 100)
	l.end()
	assert.Empty(t, l.lost)
	assert.Len(t, l.by, 3)
}

func TestOpenSockets_believes_only_what_is_for_it(t *testing.T) {
	t.Run("another process", func(t *testing.T) {
		t.Setenv("LISTEN_PID", fmt.Sprint(os.Getpid()+1))
		t.Setenv("LISTEN_FDS", "1")
		s, err := OpenSockets(Config{})
		require.NoError(t, err)
		assert.Empty(t, s.inherited)
		_, still := os.LookupEnv("LISTEN_FDS")
		assert.False(t, still, "a child would not be that process either")
	})
	for _, n := range []string{"", "-1", "x", "99999999999"} {
		t.Setenv("LISTEN_PID", fmt.Sprint(os.Getpid()))
		t.Setenv("LISTEN_FDS", n)
		_, err := OpenSockets(Config{})
		assert.ErrorContains(t, err, "LISTEN_FDS", "%q", n)
	}
}

func TestSockets_gives_an_activated_socket_for_its_address_alone(t *testing.T) {
	tcp := func(s string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", s)
		require.NoError(t, err)
		return a
	}
	for _, c := range []struct {
		bound            net.Addr
		network, address string
		want             bool
	}{
		{tcp("127.0.0.1:80"), "tcp", "127.0.0.1:80", true},
		{tcp("127.0.0.1:80"), "tcp", "127.0.0.1:81", false},
		{tcp("127.0.0.1:80"), "tcp", "127.0.0.2:80", false},
		{tcp("127.0.0.1:80"), "tcp", ":80", false},
		{tcp("[::]:80"), "tcp", ":80", true},
		{tcp("0.0.0.0:80"), "tcp", ":80", true},
		{tcp("0.0.0.0:80"), "tcp", "0.0.0.0:80", true},
		{tcp("0.0.0.0:80"), "tcp", "127.0.0.1:80", false},
		{tcp("[::1]:80"), "tcp", "[::1]:80", true},
		{tcp("127.0.0.1:80"), "unix", "/run/s", false},
		{&net.UnixAddr{Name: "/run/s", Net: "unix"}, "unix", "/run/s", true},
		{&net.UnixAddr{Name: "/run/s", Net: "unix"}, "unix", "/run/t", false},
		{&net.UnixAddr{Name: "/run/s", Net: "unix"}, "tcp", "/run/s", false},
	} {
		assert.Equal(t, c.want, boundTo(c.bound, c.network, c.address), "%v for %s %s", c.bound, c.network, c.address)
	}
}

func TestSockets_hands_out_what_systemd_passed_and_is_no_listener(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	s, err := OpenSockets(Config{})
	require.NoError(t, err)
	number, err := syscall.Dup(int(r.Fd()))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, s.inheritFD(number, "fifo"))
	files := s.Files("fifo")
	require.Len(t, files, 1)
	assert.Empty(t, s.Files("fifo"))
	require.NoError(t, s.Ready(context.Background()))
	_, err = io.WriteString(w, "x")
	require.NoError(t, err)
	_, err = files[0].Read(make([]byte, 1))
	assert.NoError(t, err, "it is the caller's")
	require.NoError(t, files[0].Close())
}
