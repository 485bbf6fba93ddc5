package testserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// CheckLeaks runs the tests of a package and gives the code for os.Exit. When
// they pass, it then waits, for at most ten seconds, until the goroutines and
// file descriptors that the tests made are gone and every extra check is
// content; what is left is printed, and the code is 1.
//
//	func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m, cgo.CheckLeaks)) }
//
// An extra check is asked again and again until it gives nil: C memory and easy
// handles are counted there. Things that live as long as the process must be
// closed by the last test, or by an extra check.
func CheckLeaks(m *testing.M, extra ...func() error) int {
	wakeNetpoller()
	before := TakeInventory()
	if code := m.Run(); code != 0 {
		return code
	}
	err := settle(leakTimeout, func() error {
		errs := []error{before.Check()}
		for _, check := range extra {
			errs = append(errs, check())
		}
		return errors.Join(errs...)
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "leaks after all tests:\n%v\n", err)
		return 1
	}
	return 0
}

var leakTimeout = 10 * time.Second // a variable for this package's own tests

// Inventory is what the process holds at a moment.
type Inventory struct {
	goroutines goleak.Option
	files      map[string]string // number and identity: what it is
}

// TakeInventory notes the goroutines and open files of this moment.
func TakeInventory() *Inventory {
	return &Inventory{goroutines: goleak.IgnoreCurrent(), files: openFiles()}
}

// Check gives an error that lists the goroutines and files that have come since
// and are there now; nil if there are none. Goroutines have half a second to end.
func (i *Inventory) Check() error {
	err := goleak.Find(i.goroutines, goleak.IgnoreTopFunction("os/signal.signal_recv"))
	var left []string
	for key, what := range openFiles() {
		if _, old := i.files[key]; !old {
			left = append(left, key+" "+what)
		}
	}
	if len(left) > 0 {
		sort.Strings(left)
		err = errors.Join(err, fmt.Errorf("open files: %s", strings.Join(left, ", ")))
	}
	return err
}

// Require waits until Check is content and fails the test if that takes longer
// than d. Tests that run beside this one would be blamed on it: no Parallel.
func (i *Inventory) Require(t testing.TB, d time.Duration) {
	t.Helper()
	if err := settle(d, i.Check); err != nil {
		t.Fatalf("still there after %v: %v", d, err)
	}
}

// settle asks check until it gives nil or the time is over.
func settle(d time.Duration, check func() error) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(d)
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit:
			return err
		}
	}
}

// openFiles is empty where there is no /proc.
func openFiles() map[string]string {
	files := map[string]string{}
	names, _ := filepath.Glob("/proc/self/fd/*")
	for _, name := range names {
		what, err := os.Readlink(name)
		if err != nil || strings.HasPrefix(what, "/proc/") {
			continue // closed meanwhile, or the folder just read
		}
		// The target is a part of the key: a number may be used again.
		files[filepath.Base(name)+" "+what] = describe(what)
	}
	return files
}

// FDs is the number of open file descriptors of this process.
func FDs() int { return len(openFiles()) }

// describe adds the ends of a TCP connection, which a bare inode hides.
func describe(what string) string {
	inode, ok := strings.CutPrefix(what, "socket:[")
	if !ok {
		return ""
	}
	inode = strings.TrimSuffix(inode, "]")
	for _, table := range []string{"tcp", "tcp6"} {
		b, _ := os.ReadFile("/proc/self/net/" + table)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[9] == inode {
				return fmt.Sprintf("(%s %s -> %s, state %s)", table, hexAddr(f[1]), hexAddr(f[2]), f[3])
			}
		}
	}
	return ""
}

// hexAddr reads the port; of the address nobody wants more than the kernel's form.
func hexAddr(s string) string {
	host, port, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return s
	}
	if host == "0100007F" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10))
}

// wakeNetpoller opens the descriptors that the runtime keeps for ever, lest
// they be taken for leaks.
func wakeNetpoller() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = l.Close()
	}
}
