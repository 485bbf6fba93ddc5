package testserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RequireServers is the environment variable that, when it says 1, makes a test
// that lacks something, mostly a daemon that is not installed, fail rather than skip.
const RequireServers = "RATMOM_REQUIRE_SERVERS"

// Process is a daemon that runs in the foreground beside the test. It dies with
// the test, and with the test program however that dies.
type Process struct {
	Dir string // its configuration, logs and files

	t    testing.TB
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended

	again func() error // runs it once more, as it was
}

// daemon says how to start a daemon.
type daemon struct {
	binary string // its name
	of     string // the Debian package
	ports  int    // how many free ports it needs
	dir    string
	// configure gives the arguments for the given ports, and the addresses that
	// accept connections when it is ready; for none, the ports on 127.0.0.1.
	configure func(ports []int) (args []string)
	sockets   []string
	env       []string // beside that of the test
}

// lookDaemon finds a program; the test skips or fails if it is not there.
func lookDaemon(t testing.TB, name, debian string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	Lacks(t, "%s is not installed (Debian: %s)", name, debian)
	return ""
}

// Lacks skips the test, or fails it where RequireServers says that nothing may
// be missing.
func Lacks(t testing.TB, format string, a ...any) {
	t.Helper()
	if os.Getenv(RequireServers) == "1" {
		require.FailNow(t, fmt.Sprintf(format, a...), RequireServers+"=1")
	}
	t.Skipf(format, a...)
}

// start starts the daemon, again with other ports if somebody took one of them
// meanwhile, and waits until it accepts connections.
func (d *daemon) start(t testing.TB) (*Process, []int) {
	t.Helper()
	path := lookDaemon(t, d.binary, d.of)
	const tries = 3
	for try := 1; ; try++ {
		ports := freePorts(t, d.ports)
		args := d.configure(ports)
		p := &Process{Dir: d.dir, t: t, log: filepath.Join(d.dir, "output.log"), done: make(chan struct{})}
		p.run(path, args, d.env)
		err := p.ready(ports, d.sockets)
		if err == nil {
			p.again = func() error {
				for _, path := range d.sockets {
					_ = os.Remove(path) // left behind by a kill
				}
				p.done = make(chan struct{})
				p.run(path, args, d.env)
				return p.ready(ports, d.sockets)
			}
			t.Cleanup(func() {
				p.Kill()
				if t.Failed() {
					t.Logf("the output of %s ends with:\n%s", d.binary, tail(p.Log()))
				}
			})
			return p, ports
		}
		p.Kill()
		if try == tries || !errors.Is(err, errTaken) && !strings.Contains(strings.ToLower(p.Log()), "in use") {
			require.FailNow(t, fmt.Sprintf("%s does not start: %v\n%s", d.binary, err, tail(p.Log())))
		}
	}
}

// run starts the process on a thread that stays until it has ended: where the kernel
// kills it with us, it does so when the starting thread ends, not the process.
func (p *Process) run(path string, args, env []string) {
	started := make(chan error, 1)
	go func() {
		defer close(p.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		output, err := os.Create(p.log)
		if err != nil {
			started <- err
			return
		}
		defer func() { _ = output.Close() }()
		p.cmd = exec.Command(path, args...)
		p.cmd.Dir = p.Dir
		p.cmd.Env = append(os.Environ(), env...)
		p.cmd.Stdout, p.cmd.Stderr = output, output
		p.cmd.SysProcAttr = ofItsOwn()
		err = p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait()
		}
	}()
	require.NoError(p.t, <-started, "start of %s", path)
}

func (p *Process) ready(ports []int, sockets []string) error {
	limit := time.After(startTimeout)
	for _, port := range ports {
		if err := p.accepts(limit, "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
			return err
		}
		if err := p.taken(port); err != nil {
			return err
		}
	}
	for _, path := range sockets {
		if err := p.accepts(limit, "unix", path); err != nil {
			return err
		}
	}
	return nil
}

func (p *Process) accepts(limit <-chan time.Time, network, address string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial(network, address)
		if err == nil {
			// A dial to a port that nobody listens on may meet itself.
			self := network == "tcp" && conn.LocalAddr().String() == address
			_ = conn.Close()
			if !self {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("it ended: %s", p.cmd.ProcessState)
		case <-limit:
			return fmt.Errorf("nobody listens on %s", address)
		}
	}
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the daemon and its children with SIGKILL, as a crash would, and waits
// until it is gone.
func (p *Process) Kill() { p.signal(syscall.SIGKILL) }

// Stop asks the daemon to end with SIGTERM, and waits until it has.
func (p *Process) Stop() { p.signal(syscall.SIGTERM) }

func (p *Process) signal(s syscall.Signal) {
	select {
	case <-p.done:
		// The leader is gone; helpers of its group may not be.
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		return
	default:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, s)
	select {
	case <-p.done:
	case <-time.After(endTimeout):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// Restart starts the daemon once more after [Process.Kill] or [Process.Stop], on the same
// ports, and waits until it accepts connections.
func (p *Process) Restart() {
	p.t.Helper()
	require.NoError(p.t, p.again())
}

// Log is what the daemon has printed and written to its logs of errors so far.
func (p *Process) Log() string {
	var all []byte
	for _, name := range []string{p.log, filepath.Join(p.Dir, "error.log"), filepath.Join(p.Dir, "cache.log"), filepath.Join(p.Dir, "kdc.log")} {
		b, _ := os.ReadFile(name)
		all = append(all, b...)
	}
	return string(all)
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

// startTimeout is long because several packages start daemons at once on small
// machines.
const startTimeout = 30 * time.Second

func freePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }() // after the last: no port comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
