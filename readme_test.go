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
	for _, page := range []string{"README.md", "docs/limits.md", "docs/from-nethttp.md"} {
		b, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(b), -1) {
			assert.FileExists(t, filepath.Join(filepath.Dir(page), m[1]))
		}
	}
}

func TestComing_from_net_http_names_options_and_tests_that_exist(t *testing.T) {
	page, err := os.ReadFile("docs/from-nethttp.md")
	require.NoError(t, err)
	declared := func(files ...string) map[string]bool {
		names := map[string]bool{}
		for _, file := range files {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(`(?m)^func (\w+)\(`).FindAllStringSubmatch(string(b), -1) {
				names[m[1]] = true
			}
		}
		return names
	}
	var tests []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") {
			tests = append(tests, path)
		}
		return err
	}))
	options, err := filepath.Glob("config/*.go")
	require.NoError(t, err)
	haveTest, haveOption := declared(tests...), declared(options...)
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1) {
		assert.True(t, haveTest[m[1]], m[1])
	}
	rows := regexp.MustCompile(`(?m)^\| .*\|$`).FindAllString(string(page), -1)
	require.Greater(t, len(rows), 20)
	for _, row := range rows[1:] {
		here := strings.Split(row, "|")[2]
		for _, m := range regexp.MustCompile("`([A-Z]\\w+)(\\(\\w+\\))?`").FindAllStringSubmatch(here, -1) {
			assert.True(t, haveOption[m[1]] || m[1] == "Close", m[1])
		}
	}
}
