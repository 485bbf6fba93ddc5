package listen

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/server"
	"github.com/ratmom/ratmom/server/listen/proxyproto"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// What tells this program, started again by a test, what to be and do.
const (
	roleVariable  = "RATMOM_LISTEN_ROLE"
	addrVariable  = "RATMOM_LISTEN_ADDR"  // "network address", several by commas
	faultVariable = "RATMOM_LISTEN_FAULT" // a file that holds what the next process does wrong
	proxyVariable = "RATMOM_LISTEN_PROXY" // reads the PROXY protocol
	oursVariable  = "RATMOM_LISTEN_OURS"  // server.Server rather than net/http's
)

// roles are what the program can be beside the tests.
var roles = map[string]func() error{
	"server":    serve,
	"crowded":   beCrowded,
	"activated": beActivated,
}

func play(role string) int {
	// Whoever started the first of us holds the other end.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	f, ok := roles[role]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such role:", role)
		return 2
	}
	if err := f(); err != nil {
		fmt.Printf("%d failed: %v\n", os.Getpid(), err)
		return 1
	}
	return 0
}

// serve answers with its process number. SIGHUP makes it restart, SIGTERM end.
func serve() error {
	hup, term := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	signal.Notify(term, syscall.SIGTERM)
	ctx := context.Background()
	sockets, err := OpenSockets(Config{})
	if err != nil {
		return err
	}
	handler := LastResponses(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %s", os.Getpid(), r.RemoteAddr)
	}), sockets.Draining())
	var site interface {
		Shutdowner
		Serve(net.Listener) error
		Close() error
	} = &http.Server{Handler: handler}
	if os.Getenv(oursVariable) != "" {
		site = &server.Server{Handler: handler}
	}
	var bound []string
	var listeners []net.Listener
	for _, address := range strings.Split(os.Getenv(addrVariable), ",") {
		network, address, _ := strings.Cut(address, " ")
		l, err := sockets.Listen(ctx, network, address)
		if err != nil {
			return err
		}
		bound = append(bound, l.Addr().String())
		l = Patient(l, nil)
		if os.Getenv(proxyVariable) != "" {
			if l, err = proxyproto.Listen(l, proxyproto.Config{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}); err != nil {
				return err
			}
		}
		listeners = append(listeners, l)
	}
	fault, _ := os.ReadFile(os.Getenv(faultVariable))
	switch string(fault) {
	case "exit":
		return fmt.Errorf("told to fail")
	case "close":
		for _, l := range listeners {
			_ = l.Close()
		}
		return fmt.Errorf("told to fail")
	case "hang":
		fmt.Println(os.Getpid(), "hangs")
		select {}
	}
	if err := sockets.Ready(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for _, l := range listeners {
		wg.Go(func() {
			if err := site.Serve(l); err != http.ErrServerClosed {
				fmt.Println(os.Getpid(), "failed: serve:", err)
			}
		})
	}
	fmt.Println(os.Getpid(), "ready", strings.Join(bound, ","))
	ended := make(chan error, 1)
	go func() {
		<-sockets.Draining()
		err := Drain(ctx, 300*time.Millisecond, site)
		wg.Wait()
		ended <- err
	}()
	for {
		select {
		case <-hup:
			limit := patience
			if next, _ := os.ReadFile(os.Getenv(faultVariable)); string(next) == "hang" {
				limit = time.Second
			}
			go func() {
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				if err := sockets.Restart(ctx, nil); err != nil {
					fmt.Println(os.Getpid(), "stays:", strings.ReplaceAll(err.Error(), "\n", " "))
				}
			}()
		case err := <-ended:
			fmt.Println(os.Getpid(), "drained", err)
			return err
		case <-term:
			return site.Close()
		}
	}
}

// generations are the processes that a test has started, and those that these did.
type generations struct {
	lines chan string
}

// start starts the program in a role. It, and what it starts, ends with the test.
func start(t testing.TB, role string, env ...string) *generations {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	return startCommand(t, exec.Command(exe), append(env, roleVariable+"="+role))
}

func startCommand(t testing.TB, cmd *exec.Cmd, env []string) *generations {
	t.Helper()
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, write, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = write
	require.NoError(t, cmd.Start())
	require.NoError(t, write.Close())
	g := &generations{lines: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(g.lines)
		// The end comes when the last of them has gone.
		for s := bufio.NewScanner(out); s.Scan(); {
			g.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
		<-done
		_ = out.Close()
	})
	return g
}

// next is the next line, "PID words", taken apart.
func (g *generations) next(t testing.TB) (pid int, words string) {
	t.Helper()
	select {
	case line, ok := <-g.lines:
		require.True(t, ok, "all processes are gone")
		number, words, _ := strings.Cut(line, " ")
		pid, err := strconv.Atoi(number)
		require.NoError(t, err, "%q", line)
		return pid, words
	case <-time.After(patience):
		require.FailNow(t, "no word from the processes")
		return 0, ""
	}
}

// ready waits for a process to be ready and gives its addresses.
func (g *generations) ready(t testing.TB) (pid int, addresses []string) {
	t.Helper()
	pid, words := g.next(t)
	list, ok := strings.CutPrefix(words, "ready ")
	require.True(t, ok, "%q", words)
	return pid, strings.Split(list, ",")
}

// replaced waits until a process has been replaced by another, and has gone.
func (g *generations) replaced(t testing.TB, old int) (pid int) {
	t.Helper()
	for drained := false; !drained || pid == 0; {
		by, words := g.next(t)
		switch by {
		case old:
			require.Equal(t, "drained <nil>", words)
			drained = true
		default:
			require.True(t, strings.HasPrefix(words, "ready "), "%q", words)
			pid = by
		}
	}
	return pid
}

func ask(t testing.TB, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	return string(b)
}
