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
	os.Exit(testserver.CheckLeaks(m))
}
