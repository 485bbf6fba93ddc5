package listen

import (
	"os"
	"testing"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(testserver.CheckLeaks(m))
}
