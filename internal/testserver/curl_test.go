package testserver

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// curl runs the program, which speaks what net/http does not.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := runCurl(t, args)
	require.NoError(t, err, "curl %q: %s", args, out)
	return string(out)
}

// curlFails is curl for transfers that may fail.
func curlFails(t *testing.T, args ...string) string {
	t.Helper()
	out, _ := runCurl(t, args)
	return string(out)
}

func runCurl(t *testing.T, args []string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	defaults := []string{"-sS", "--max-time", "10", "--noproxy", ""}
	return exec.Command(path, append(defaults, args...)...).CombinedOutput()
}
