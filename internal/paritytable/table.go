// Package paritytable checks tables that name, for each test of an anchor, the tests
// here that stand for it and what they assert.
package paritytable

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Row says what stands here for one test of the anchor, or one fact about it.
type Row struct {
	Group   string // where the anchor has it
	Theirs  string // what it is called there
	Ours    string // the tests here, with blanks between them
	Asserts string // what ours show
	Differs string // where and why ours are others; "" if they are the same
}

// Check wants the table to have as many rows in each group as counts says, none of
// them twice, and each with what is asserted and with tests that exist.
func Check[R ~struct{ Group, Theirs, Ours, Asserts, Differs string }](t testing.TB, table []R, counts map[string]int, tests Tests) {
	t.Helper()
	count, seen := map[string]int{}, map[string]bool{}
	for _, x := range table {
		r := Row(x)
		what := r.Group + ": " + r.Theirs
		assert.False(t, seen[what], "%s is there twice", what)
		seen[what] = true
		count[r.Group]++
		assert.NotEmpty(t, r.Asserts, what)
		tests.Want(t, what, r.Ours)
	}
	assert.Equal(t, counts, count)
}

// Tests has the file of each test, by its name.
type Tests map[string]string

var isTest = regexp.MustCompile("^(Test|Fuzz|Benchmark|Example)")

// Find reads the names of the tests in directories. Behind the prefix of its directory, if that is not
// empty, and a dot each test has its name.
func Find(t testing.TB, dirs map[string]string) Tests {
	t.Helper()
	tests := Tests{}
	for prefix, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, names, "no tests in %s", dir)
		for _, name := range names {
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && isTest.MatchString(fn.Name.Name) {
					tests[strings.TrimPrefix(prefix+"."+fn.Name.Name, ".")] = filepath.Base(name)
				}
			}
		}
	}
	return tests
}

// Want wants each of the tests in names, of which there is at least one, to exist.
func (all Tests) Want(t testing.TB, what, names string) {
	t.Helper()
	assert.NotEmpty(t, strings.Fields(names), "no test for %s", what)
	for name := range strings.FieldsSeq(names) {
		assert.NotEmpty(t, all[name], "where is %s for %s?", name, what)
	}
}
