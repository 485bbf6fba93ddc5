package server

import (
	"os"
	"testing"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	if kind := os.Getenv(idleServer); kind != "" {
		serveIdle(kind)
	}
	if addr := os.Getenv(killedClient); addr != "" {
		askUntilKilled(addr)
		return
	}
	os.Exit(testserver.CheckLeaks(m))
}
