package cgo_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	os.Exit(testserver.CheckLeaks(m, func() error {
		c := cgo.CountAlive()
		if c.Transfers != 0 || c.Multis != 0 || c.Links != 0 || c.ChunkBytes != 0 {
			return fmt.Errorf("alive in C: %+v", c)
		}
		return nil
	}))
}
