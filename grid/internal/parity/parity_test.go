package parity

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/paritytable"
)

// row is a [paritytable.Row]. Its group is the file with the test there, or what kind of line it is.
type row struct{ Group, Theirs, Ours, Asserts, Differs string }

// places is where the tests of the tables are, by the package in their names.
var places = map[string]string{
	"auth":      "../auth",
	"frame":     "../frame",
	"grid":      "../..",
	"gridtest":  "../../gridtest",
	"hello":     "../hello",
	"interop":   "../ws/interop",
	"model":     "../model",
	"msgpack":   "../../msgpack",
	"msgptest":  "../../../internal/msgptest",
	"oteltrace": "../../oteltrace",
	"parity":    ".",
	"sched":     "../sched",
	"ws":        "../ws",
}

func TestTables_name_tests_for_every_line(t *testing.T) {
	tests := paritytable.Find(t, places)
	paritytable.Check(t, theirTests, map[string]int{
		"connection_test.go": 2, "grid_test.go": 27, "types_test.go": 7, "grid_types_msgp_test.go": 1,
		"msg_gen_test.go": 13, "benchmark_test.go": 2, "missing": 9,
	}, tests)
	paritytable.Check(t, theirFaults, map[string]int{"mended": 29, "found": 13}, tests)
	paritytable.Check(t, promises, map[string]int{"promise": 16, "figure": 7}, tests)
}

func TestSuite_runs_with_the_race_detector(t *testing.T) {
	b, err := os.ReadFile("../../../ci/suite.sh")
	require.NoError(t, err)
	assert.Contains(t, string(b), "go test -race ")
}
