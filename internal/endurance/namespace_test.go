//go:build linux

package endurance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// insideVariable tells a test that it runs in namespaces of its own.
const insideVariable = "RATMOM_ENDURANCE_INSIDE"

// apart runs the calling test alone in a process with a network and a file
// system view of its own, and reports how it went. Inside it returns true.
func apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		run(t, "ip", "link", "set", "lo", "up")
		return true
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	args := []string{"-test.run=^" + t.Name() + "$", "-test.v", "-test.timeout=60s"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:    syscall.SIGKILL,
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Unshareflags: syscall.CLONE_NEWNS, // makes the mounts private
	}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	t.Logf("inside:\n%s", out)
	if os.IsPermission(err) || errors.Is(err, syscall.ENOSPC) { // the latter: none are allowed
		testserver.Lacks(t, "no namespaces here: %v", err)
	}
	require.NoError(t, err)
	return false
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
}

// overlay puts a file with this content over another, for this process.
func overlay(t testing.TB, path, content string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), filepath.Base(path))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
	require.NoError(t, syscall.Mount(name, path, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
}

// deadNameServer takes questions and never answers.
func deadNameServer(t testing.TB) (asked func() bool) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:53")
	require.NoError(t, err)
	t.Cleanup(func() { _ = pc.Close() })
	overlay(t, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:4 attempts:1\n")
	overlay(t, "/etc/nsswitch.conf", "hosts: files dns\n")
	return func() bool {
		_ = pc.SetReadDeadline(time.Now().Add(patience))
		_, _, err := pc.ReadFrom(make([]byte, 512))
		return err == nil
	}
}

func TestName_server_that_never_answers_holds_up_nobody(t *testing.T) {
	if !apart(t) {
		return
	}
	asked := deadNameServer(t)
	hello := testserver.Start(t, testserver.H1, testserver.Blob(34))
	client := newClient(t)

	latency := func() (worst, sum time.Duration) {
		for range 200 {
			start := time.Now()
			resp, err := client.Send(request(t, patient(t), "GET", hello.URL))
			require.NoError(t, err)
			require.NoError(t, resp.Discard())
			took := time.Since(start)
			worst, sum = max(worst, took), sum+took
		}
		return worst, sum / 200
	}
	worst0, mean0 := latency()

	var futures []*ratmom.Future
	ctx, cancel := context.WithCancel(patient(t))
	for i := range 20 {
		futures = append(futures, client.SendAsync(request(t, ctx, "GET", fmt.Sprintf("http://host%d.ratmom.test/", i))))
	}
	require.True(t, asked())
	worst1, mean1 := latency()
	t.Logf("neighbours: mean %v, worst %v; beside 20 look-ups without an answer: mean %v, worst %v", mean0, worst0, mean1, worst1)
	require.Less(t, mean1, 5*mean0+slack*time.Millisecond)
	require.Less(t, worst1, slack*50*time.Millisecond)

	requireNothingInherited(t)

	start := time.Now()
	cancel()
	for _, f := range futures {
		_, err := f.Result()
		require.ErrorIs(t, err, context.Canceled)
	}
	within(t, "the cancel of 20 look-ups", 50*time.Millisecond, time.Since(start))
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 0 }))
	within(t, "the removal of 20 look-ups", 50*time.Millisecond, time.Since(start))
	worst2, mean2 := latency()
	t.Logf("after the cancel: mean %v, worst %v", mean2, worst2)
	require.Less(t, worst2, slack*50*time.Millisecond)

	// Time limits are as quick as a cancel.
	start = time.Now()
	_, err := client.Send(request(t, patient(t), "GET", "http://late.ratmom.test/"), config.Timeout(100*time.Millisecond))
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	within(t, "the time limit", 110*time.Millisecond, time.Since(start))

	// So is the end of the client.
	last := client.SendAsync(request(t, patient(t), "GET", "http://last.ratmom.test/"))
	require.True(t, waitUntil(patience, func() bool { return client.Stats().Requests == 1 }))
	start = time.Now()
	require.NoError(t, client.Close())
	within(t, "Close", 50*time.Millisecond, time.Since(start))
	_, err = last.Result()
	require.ErrorIs(t, err, ratmom.ErrClosed)
}

// The kernel gives one local port to several connections when their remote ends
// differ: a pause or an end of one must not be taken for the other's.
func TestLocal_port_shared_by_connections_to_several_servers_mixes_nothing_up(t *testing.T) {
	if !apart(t) {
		return
	}
	require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40009"), 0o644))
	const servers = 8
	var urls []string
	for i := range servers {
		s := testserver.Start(t, testserver.H1, testserver.Blob(8<<20), testserver.OnAddress(fmt.Sprintf("127.0.0.1:%d", 20000+i)))
		urls = append(urls, s.URL)
	}
	client := newClient(t)
	var all sync.WaitGroup
	ports := make([]string, servers*3)
	for i := range ports {
		all.Go(func() {
			for range 3 {
				resp, err := client.Send(request(t, patient(t), "GET", urls[i%servers]))
				if err != nil {
					t.Error(err)
					return
				}
				ports[i] = resp.LocalAddr().String()
				var w testserver.PatternWriter
				n := 0
				_, err = resp.CopyTo(writerFunc(func(p []byte) (int, error) {
					if n++; n%64 == 1 {
						<-time.After(20 * time.Millisecond) // let it pause
					}
					return w.Write(p)
				}))
				assert.NoError(t, err)
				assert.EqualValues(t, 8<<20, w.N)
			}
		})
	}
	all.Wait()
	shared := map[string]int{}
	for _, p := range ports {
		shared[p]++
	}
	t.Logf("%d requests from %d local ports: %v", len(ports), len(shared), shared)
	require.Less(t, len(shared), len(ports), "no port was shared, so nothing was tested")
}

func TestChild_process_inherits_no_connection(t *testing.T) {
	for _, mode := range testserver.AllModes {
		t.Run(string(mode), func(t *testing.T) {
			gate := testserver.NewGate()
			s := testserver.Start(t, mode, testserver.Drip(gate))
			client := clientFor(t, mode, s.CAFile)
			resp, err := client.Send(request(t, patient(t), http.MethodGet, s.URL))
			require.NoError(t, err)
			requireNothingInherited(t)
			require.NoError(t, resp.Body.Close())
		})
	}
}

// bequeathed are the files that this process was started with: what they are.
var bequeathed = links("/proc/self/fd")

func links(dir string) map[string]bool {
	all := map[string]bool{}
	names, _ := filepath.Glob(dir + "/*")
	for _, name := range names {
		if what, err := os.Readlink(name); err == nil {
			all[what] = true
		}
	}
	return all
}

// requireNothingInherited starts a process and looks for sockets and the like in
// it that are ours.
func requireNothingInherited(t testing.TB) {
	t.Helper()
	cmd := exec.Command("/bin/cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start()) // returns when exec has been done
	own, theirs := links("/proc/self/fd"), links(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	// libcurl's own pairs for wake-ups and look-ups are no connections.
	sockets, connections := 0, tcpSockets(t)
	for what := range own {
		if connections[what] && !bequeathed[what] {
			sockets++
			require.NotContains(t, theirs, what)
		}
	}
	require.NotZero(t, sockets, "there are connections to be inherited")
	for what := range theirs {
		require.False(t, strings.HasPrefix(what, "anon_inode:") && !bequeathed[what], what)
	}
}

// tcpSockets are the TCP sockets of our network, as /proc/self/fd names them.
func tcpSockets(t testing.TB) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		b, err := os.ReadFile(table)
		if os.IsNotExist(err) {
			continue // no IPv6
		}
		require.NoError(t, err)
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 9 {
				all["socket:["+f[9]+"]"] = true
			}
		}
	}
	return all
}
