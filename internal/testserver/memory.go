package testserver

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// RSS is the memory of this process that is in RAM now, Go's and C's, in bytes.
func RSS(t testing.TB) int64 { t.Helper(); return statusBytes(t, "VmRSS:") }

// PeakRSS is the most that RSS was since the start or the last ResetPeakRSS.
func PeakRSS(t testing.TB) int64 { t.Helper(); return statusBytes(t, "VmHWM:") }

// ResetPeakRSS makes PeakRSS begin anew with what is in RAM now.
func ResetPeakRSS(t testing.TB) {
	t.Helper()
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}

func statusBytes(t testing.TB, name string) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		Lacks(t, "this needs /proc")
	}
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == name {
			n, err := strconv.ParseInt(string(f[1]), 10, 64)
			require.NoError(t, err)
			return n << 10
		}
	}
	require.FailNow(t, fmt.Sprintf("no %s in /proc/self/status", name))
	return 0
}
