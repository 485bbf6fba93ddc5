package endurance

import (
	"fmt"
	"os"
	"testing"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(testserver.CheckLeaks(m, nothingInC))
}

// nothingInC reports C memory that should be gone once every client is closed.
func nothingInC() error {
	c := cgo.CountAlive()
	if c.Transfers != 0 || c.Multis != 0 || c.ChunkBytes != 0 {
		return fmt.Errorf("alive in C: %+v", c)
	}
	return nil
}
