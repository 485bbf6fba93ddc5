package endurance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// requireGrowth requires that memory has grown by less than most, where that can
// be measured.
func requireGrowth(t *testing.T, grown, most int64) {
	t.Helper()
	if !bounded {
		t.Logf("grown by %d MiB; not judged here", grown>>20)
		return
	}
	require.Less(t, grown, most)
}
