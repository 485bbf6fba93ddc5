package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config/coverage"
)

func coverageByOption(t *testing.T) map[string]coverage.Entry {
	t.Helper()
	all := map[string]coverage.Entry{}
	for _, e := range coverage.Entries() {
		assert.NotContains(t, all, e.Option, "there twice")
		all[e.Option] = e
	}
	return all
}

func TestCoverage_has_every_option_of_this_libcurl(t *testing.T) {
	all := coverageByOption(t)
	names := cgo.EasyOptions()
	require.Greater(t, len(names), 250)
	for _, n := range names {
		assert.Contains(t, all, n, "an option of libcurl that is neither offered nor excused")
	}
}

func TestCoverage_gives_an_option_or_one_of_the_reasons(t *testing.T) {
	reasons := []coverage.Reason{coverage.NotHTTP, coverage.Deprecated, coverage.Engine, coverage.Replaced}
	for _, e := range coverage.Entries() {
		if len(e.Names) > 0 {
			assert.Empty(t, e.Reason, e.Option)
			continue
		}
		assert.Contains(t, reasons, e.Reason, e.Option)
		assert.NotEmpty(t, e.Note, e.Option)
	}
}

func TestCoverage_names_options_that_exist_and_who_can_have_them(t *testing.T) {
	kinds := optionKinds(t)
	levels := map[coverage.Level]string{
		coverage.Client: "ClientOption", coverage.Request: "RequestOption", coverage.Both: "Option",
	}
	methods := rootMethods(t)
	for _, e := range coverage.Entries() {
		for _, name := range e.Names {
			if e.Level != coverage.Code {
				assert.Equal(t, levels[e.Level], kinds[name], "%s of CURLOPT_%s", name, e.Option)
				continue
			}
			typ, member, _ := strings.Cut(name, ".")
			if typ == "Request" {
				_, ok := reflect.TypeFor[http.Request]().FieldByName(member)
				assert.True(t, ok, "%s of CURLOPT_%s", name, e.Option)
				continue
			}
			assert.Contains(t, methods, name, "CURLOPT_%s", e.Option)
		}
	}
}

// rootMethods finds the exported methods of the root package, as "Client.Send".
func rootMethods(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	require.NoError(t, err)
	var names []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() {
				continue
			}
			typ := fn.Recv.List[0].Type
			if p, ok := typ.(*ast.StarExpr); ok {
				typ = p.X
			}
			if id, ok := typ.(*ast.Ident); ok {
				names = append(names, id.Name+"."+fn.Name.Name)
			}
		}
	}
	return names
}

// What an option packs must be what the table says of it.
func TestCoverage_says_which_options_of_libcurl_an_option_sets(t *testing.T) {
	all := coverageByOption(t)
	secure := records(t, client(t).Defaults(), testURLs[1])
	for _, s := range samples() {
		for _, o := range []any{s.first, s.second} {
			for _, u := range testURLs {
				for _, record := range added(t, o, u) {
					name, value, _ := strings.Cut(strings.TrimPrefix(record, "CURLOPT_"), " ")
					e, ok := all[name]
					switch {
					case !ok || slices.Contains(e.Names, s.name):
					case value == "<nil>": // makes room for the option that counts
					case name == "FRESH_CONNECT", name == "FORBID_REUSE": // what others may not use
					case slices.Contains(secure, record): // TLS, to a proxy
					case s.name == "ResolveAgain" && name == "RESOLVE": // the list is the client's
					default:
						assert.Fail(t, "an option that the table does not name", "%s sets CURLOPT_%s; the table has %v", s.name, name, e.Names)
					}
				}
			}
		}
	}
}
