package testserver

import (
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if os.Getenv("TESTSERVER_LEAK") != "" {
		leakTimeout = 100 * time.Millisecond
	}
	os.Exit(CheckLeaks(m))
}

func TestInventory_names_what_is_left(t *testing.T) {
	before := TakeInventory()
	require.NoError(t, before.Check())

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	stop := make(chan struct{})
	go func() { <-stop }()
	err = before.Check()
	assert.ErrorContains(t, err, "TestInventory_names_what_is_left")
	assert.ErrorContains(t, err, "-> "+l.Addr().String())
	assert.GreaterOrEqual(t, FDs(), 2)

	close(stop)
	require.NoError(t, conn.Close())
	require.NoError(t, l.Close())
	before.Require(t, soon)
}

// The program is this one, run again with only a test that leaks.
func TestCheckLeaks_fails_a_package_that_leaks(t *testing.T) {
	for what, words := range map[string]string{"goroutine": "TestLeak", "file": os.DevNull} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLeak$")
		cmd.Env = append(os.Environ(), "TESTSERVER_LEAK="+what)
		out, err := cmd.CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), "leaks after all tests")
		assert.Contains(t, string(out), words)
	}
}

var leaked []any

func TestLeak(t *testing.T) {
	switch os.Getenv("TESTSERVER_LEAK") {
	case "":
		t.Skip("a part of TestCheckLeaks_fails_a_package_that_leaks")
	case "goroutine":
		go func() { select {} }()
	case "file":
		f, err := os.Open(os.DevNull)
		require.NoError(t, err)
		leaked = append(leaked, f)
	}
}

func TestRSS_grows_with_memory_and_its_peak_stays(t *testing.T) {
	before := RSS(t)
	ResetPeakRSS(t)
	big := make([]byte, 64<<20)
	for i := 0; i < len(big); i += 4096 {
		big[i] = 1
	}
	assert.Greater(t, RSS(t)-before, int64(48<<20))
	assert.GreaterOrEqual(t, PeakRSS(t), RSS(t)-1<<20)
	leaked = append(leaked[:0], big[0])
}
