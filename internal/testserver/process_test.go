package testserver

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcess_ends_on_Stop_and_on_Kill(t *testing.T) {
	for _, end := range []func(*Process){(*Process).Stop, (*Process).Kill} {
		n := Nginx(t)
		require.NoError(t, syscall.Kill(n.PID(), 0))
		end(n.Process)
		assert.ErrorIs(t, syscall.Kill(n.PID(), 0), syscall.ESRCH)
		end(n.Process)
	}
}

// The daemon of a test program that is killed must not outlive it. The program is
// this one, run again with only the test below.
func TestProcess_dies_with_the_test_program(t *testing.T) {
	lookDaemon(t, "nginx", "nginx-light")
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcess_that_waits_to_be_killed$", "-test.v")
	// Who is killed cannot clean up.
	cmd.Env = append(os.Environ(), "TESTSERVER_WAIT=1", "TMPDIR="+tempDir(t, "killed"))
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pid int
	for lines := bufio.NewScanner(output); pid == 0 && lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "PID "); ok {
			pid, err = strconv.Atoi(rest)
			require.NoError(t, err)
		}
	}
	require.NotZero(t, pid)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool {
		// Nobody may wait for it here, so a zombie counts as dead.
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, soon, 5*time.Millisecond)
}

func TestProcess_that_waits_to_be_killed(t *testing.T) {
	if os.Getenv("TESTSERVER_WAIT") == "" {
		t.Skip("a part of TestProcess_dies_with_the_test_program")
	}
	n := Nginx(t)
	fmt.Printf("PID %d\n", n.PID())
	select {}
}

func TestLookDaemon_skips_on_a_laptop_and_fails_where_servers_are_required(t *testing.T) {
	for value, skips := range map[string]bool{"": true, "1": false} {
		t.Setenv(RequireServers, value)
		fake := &verdict{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			lookDaemon(fake, "no-such-daemon", "no-such-package")
		}()
		<-done
		assert.Equal(t, skips, fake.skipped)
		assert.Equal(t, !skips, fake.failed)
		assert.Contains(t, fake.text, "no-such-package")
	}
}

// verdict keeps what a helper says of its test.
type verdict struct {
	testing.TB
	skipped, failed bool
	text            string
}

func (v *verdict) Helper()                        {}
func (v *verdict) Errorf(format string, a ...any) { v.failed, v.text = true, fmt.Sprintf(format, a...) }
func (v *verdict) FailNow()                       { v.failed = true; runtime.Goexit() }
func (v *verdict) Skipf(format string, a ...any) {
	v.skipped, v.text = true, fmt.Sprintf(format, a...)
	runtime.Goexit()
}
