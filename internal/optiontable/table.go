// Package optiontable makes the tables of the options for README.md and
// docs/options.md, from the code of package config.
package optiontable

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/config/coverage"
)

// option is one function that makes an option.
type option struct {
	name, level, does string
	sets              []string // options of libcurl, newer ones with their version
}

// Options returns the table of all options of the package in dir.
func Options(dir string) (string, error) {
	list, err := options(dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| option | for | what it does | libcurl |\n|---|---|---|---|\n")
	for _, o := range list {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.name, o.level, o.does, strings.Join(o.sets, ", "))
	}
	return b.String(), nil
}

// Coverage returns the table of all options of libcurl.
func Coverage() string {
	list := coverage.Entries()
	slices.SortFunc(list, func(a, b coverage.Entry) int { return strings.Compare(a.Option, b.Option) })
	var b strings.Builder
	b.WriteString("| CURLOPT_ | here | for | since libcurl |\n|---|---|---|---|\n")
	for _, e := range list {
		here := fmt.Sprintf("– (%s: %s)", e.Reason, e.Note)
		if len(e.Names) > 0 {
			here = "`" + strings.Join(e.Names, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", e.Option, here, e.Level, e.Since)
	}
	return b.String()
}

func options(dir string) ([]option, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	sets := libcurlOptions()
	var list []option
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() {
				continue
			}
			level := levelOf(fn)
			if level == "" {
				continue
			}
			list = append(list, option{fn.Name.Name, level, synopsis(fn), sets[fn.Name.Name]})
		}
	}
	slices.SortFunc(list, func(a, b option) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// levelOf says who can have what fn makes, "" if that is no option.
func levelOf(fn *ast.FuncDecl) string {
	if fn.Type.Results == nil || len(fn.Type.Results.List) == 0 {
		return ""
	}
	id, _ := fn.Type.Results.List[0].Type.(*ast.Ident)
	if id == nil {
		return ""
	}
	return map[string]string{
		"Option": string(coverage.Both), "ClientOption": string(coverage.Client), "RequestOption": string(coverage.Request),
	}[id.Name]
}

// synopsis is the first sentence of the doc comment, without the name.
func synopsis(fn *ast.FuncDecl) string {
	s := new(doc.Package).Synopsis(fn.Doc.Text())
	s = strings.TrimPrefix(s, fn.Name.Name+" ")
	return strings.NewReplacer("|", "\\|", "[", "", "]", "").Replace(strings.TrimSuffix(s, "."))
}

// libcurlOptions maps an option here to those of libcurl that it sets.
func libcurlOptions() map[string][]string {
	sets := map[string][]string{}
	for _, e := range coverage.Entries() {
		name := e.Option
		if e.Since != "" {
			name += " (" + e.Since + ")"
		}
		for _, n := range e.Names {
			sets[n] = append(sets[n], name)
		}
	}
	return sets
}
