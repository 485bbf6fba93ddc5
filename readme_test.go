package ratmom_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var fence = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestREADME_shows_what_the_examples_run(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("example*_test.go")
	require.NoError(t, err)
	var examples strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		examples.WriteString(flush(string(b)))
	}
	snippets := fence.FindAllStringSubmatch(string(readme), -1)
	require.Greater(t, len(snippets), 5)
	for _, s := range snippets {
		assert.Contains(t, examples.String(), flush(s[1]))
	}
}

// flush takes the indentation away.
func flush(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line))
		b.WriteByte('\n')
	}
	return b.String()
}

func TestREADME_links_to_files_that_exist(t *testing.T) {
	for _, page := range []string{"README.md", "docs/limits.md"} {
		b, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(b), -1) {
			assert.FileExists(t, filepath.Join(filepath.Dir(page), m[1]))
		}
	}
}
