package testserver

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// tempDir is a short path that any user may pass through: daemons started as
// root may run as somebody else, and t.TempDir is private to its owner.
func tempDir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ratmom-"+name) //nolint:usetesting // see above
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
