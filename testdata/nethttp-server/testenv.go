// Package testenv stands in for what of net/http's tests only the standard library may import.
package testenv

import (
	"context"
	"os/exec"
	"testing"
)

// LookupIPAltResolverKey is internal/nettrace's.
type LookupIPAltResolverKey struct{}

func SkipFlaky(t testing.TB, issue int) {
	t.Helper()
	t.Skipf("known to be flaky: golang.org/issue/%d", issue)
}

func Builder() string { return "" }

func MustHaveExec(testing.TB) {}

func MustHaveExecPath(t testing.TB, path string) {
	t.Helper()
	if _, err := exec.LookPath(path); err != nil {
		t.Skipf("no %s", path)
	}
}

func Command(_ testing.TB, name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }

func CommandContext(_ testing.TB, ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}
