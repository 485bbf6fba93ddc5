package grid

import (
	"os"
	"testing"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	poison.Store(true)
	os.Exit(testserver.CheckLeaks(m, func() error { return nil }))
}
