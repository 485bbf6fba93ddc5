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
	tests := filesNamed(t, "*_test.go")
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
