package paritytable

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// judge notes what a check has against a table.
type judge struct {
	testing.TB
	against []string
}

func (j *judge) Helper() {}

func (j *judge) Errorf(format string, args ...any) {
	j.against = append(j.against, fmt.Sprintf(format, args...))
}

func TestCheck_finds_what_is_wrong_with_a_table(t *testing.T) {
	tests := Find(t, map[string]string{"": ".", "same": "."})
	const self = "TestCheck_finds_what_is_wrong_with_a_table"
	require.Equal(t, Tests{self: "table_test.go", "same." + self: "table_test.go"}, tests)
	good := Row{"a", "x", self + " same." + self, "all", ""}
	for want, table := range map[string][]Row{
		"":                                     {good},
		"a: x is there twice":                  {good, good},
		"where is TestNone":                    {{"a", "x", "TestNone", "all", ""}},
		"no test for a: x":                     {{"a", "x", " ", "all", ""}},
		"Should NOT be empty":                  {{"a", "x", self, "", ""}},
		`expected: map[string]int{"a":1}`:      {good, {"b", "x", self, "all", ""}},
		`actual  : map[string]int{"a":2}`:      {good, {"a", "y", self, "all", ""}},
		"actual  : map[string]int{}":           {},
		"where is other." + self + " for a: x": {{"a", "x", self + " other." + self, "all", ""}},
	} {
		j := &judge{TB: t}
		Check(j, table, map[string]int{"a": 1}, tests)
		if want == "" {
			assert.Empty(t, j.against)
			continue
		}
		require.NotEmpty(t, j.against, want)
		assert.Contains(t, fmt.Sprint(j.against), want)
	}
}
