package optiontable

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables instead of comparing them")

const (
	begin = "<!-- made by go test ./internal/optiontable -update -->\n"
	end   = "<!-- end -->"
)

// between replaces what stands between the marks of a document.
func between(t *testing.T, file, table string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "%s has no mark", file)
	old, tail, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no second mark", file)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(head+begin+table+end+tail), 0o644))
		return
	}
	require.Equal(t, table, old, "%s is not what the code says: run go test ./internal/optiontable -update", file)
}

func TestREADME_has_the_options_of_the_code(t *testing.T) {
	table, err := Options("../../config")
	require.NoError(t, err)
	between(t, "../../README.md", table)
}

func TestDocs_have_the_options_of_libcurl(t *testing.T) {
	between(t, "../../docs/options.md", Coverage())
}
