package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source parses the files of this package that are not tests.
func source(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, n, nil, 0)
		require.NoError(t, err)
		files = append(files, f)
	}
	return fset, files
}

func functions(t *testing.T) []*ast.FuncDecl {
	t.Helper()
	var list []*ast.FuncDecl
	_, files := source(t)
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				list = append(list, fn)
			}
		}
	}
	return list
}

// optionKinds maps the name of each exported function that makes an option to the
// type it returns.
func optionKinds(t *testing.T) map[string]string {
	t.Helper()
	kinds := map[string]string{}
	for _, fn := range functions(t) {
		if fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil {
			continue
		}
		if r, ok := fn.Type.Results.List[0].Type.(*ast.Ident); ok && strings.HasSuffix(r.Name, "Option") {
			kinds[fn.Name.Name] = r.Name
		}
	}
	return kinds
}

func TestSamples_have_every_option_and_setting(t *testing.T) {
	var names, settings []string
	all := samples()
	for _, f := range featureSamples() {
		all = append(all, f.sample)
	}
	for _, s := range all {
		names = append(names, s.name)
		name := reflect.TypeOf(settingOf(s.first)).Name()
		name, _, _ = strings.Cut(name, "[")
		settings = append(settings, name)
	}
	for name := range optionKinds(t) {
		assert.Contains(t, names, name, "an option without a sample")
	}
	for _, fn := range functions(t) {
		if fn.Name.Name != "validate" {
			continue
		}
		typ := fn.Recv.List[0].Type
		if x, ok := typ.(*ast.IndexExpr); ok {
			typ = x.X
		}
		if name := typ.(*ast.Ident).Name; name != "credentials" {
			assert.Contains(t, settings, name, "a setting without a sample")
		}
	}
}

func TestSamples_are_of_the_kind_that_their_function_returns(t *testing.T) {
	kinds := optionKinds(t)
	for _, s := range samples() {
		_, both := s.first.(Option)
		_, forClient := s.first.(ClientOption)
		_, forRequest := s.first.(RequestOption)
		assert.Equal(t, kinds[s.name] == "Option", both, s.name)
		assert.Equal(t, kinds[s.name] != "RequestOption", forClient, s.name)
		assert.Equal(t, kinds[s.name] != "ClientOption", forRequest, s.name)
	}
}

// An option of the wrong kind does not compile. The compiler's type checker looks
// at the package's declarations with a few more; what the package imports is of
// no matter to them.
func TestOptions_of_the_wrong_kind_do_not_compile(t *testing.T) {
	const snippet = `package config

func send(opts ...RequestOption) bool { return true }
func create(opts ...ClientOption) bool { return true }

var _ = send(Timeout(0), FreshConnection())
var _ = create(Timeout(0), MaxConnections(1))
var _ = send(MaxConnections(1)) // wrong
var _ = send(DefaultHeader("a", "b")) // wrong
var _ = create(FreshConnection()) // wrong
`
	fset, files := source(t)
	f, err := parser.ParseFile(fset, "snippet.go", snippet, 0)
	require.NoError(t, err)
	var wrong []string
	conf := types.Config{
		IgnoreFuncBodies: true,
		Importer:         nothing{},
		Error: func(err error) {
			e := err.(types.Error)
			if p := fset.Position(e.Pos); p.Filename == "snippet.go" {
				line := strings.Split(snippet, "\n")[p.Line-1]
				assert.Contains(t, line, "// wrong", e.Msg)
				assert.Contains(t, e.Msg, "missing method apply")
				wrong = append(wrong, line)
			}
		},
	}
	_, _ = conf.Check("config", fset, append(files, f), nil)
	assert.Len(t, wrong, strings.Count(snippet, "// wrong"))
}

// nothing imports every package as an empty one.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

func TestRequestConfig_is_opaque(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[RequestConfig](), reflect.TypeFor[ClientConfig]()} {
		for f := range typ.Fields() {
			assert.False(t, f.IsExported(), "%v.%s", typ, f.Name)
		}
	}
	for _, kind := range []reflect.Type{reflect.TypeFor[Option](), reflect.TypeFor[ClientOption](), reflect.TypeFor[RequestOption]()} {
		for m := range kind.Methods() {
			assert.False(t, m.IsExported(), "%v.%s", kind, m.Name)
		}
	}
	// What users call takes and returns options alone.
	for _, fn := range functions(t) {
		if fn.Recv != nil || !fn.Name.IsExported() {
			continue
		}
		ast.Inspect(fn.Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				assert.NotEqual(t, "RequestConfig", id.Name, fn.Name.Name)
			}
			return true
		})
	}
}

func TestOptions_are_documented(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	kinds := optionKinds(t)
	for _, n := range names {
		f, err := parser.ParseFile(fset, n, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || kinds[fn.Name.Name] == "" {
				continue
			}
			doc := fn.Doc.Text()
			assert.True(t, strings.HasPrefix(doc, fn.Name.Name+" "), "%s: %q", fn.Name.Name, doc)
			undefaulted := []string{"DefaultHeader", "DefaultHeaders", "NoRedirect", "Value", "NoAuth", "NoProxyAuth"}
			says := strings.Contains(doc, "efault") || strings.Contains(doc, "CURL") ||
				strings.HasSuffix(fn.Name.Name, "Auth") || slices.Contains(undefaulted, fn.Name.Name)
			assert.True(t, says, "%s says neither its default nor its option of libcurl", fn.Name.Name)
		}
	}
}
