package sched

import (
	"os"
	"testing"

	"github.com/ratmom/ratmom/internal/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.CheckLeaks(m, func() error { return nil })) }
