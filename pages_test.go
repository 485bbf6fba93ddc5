package ratmom_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filesNamed finds the files of the repository, nested modules among them, whose name
// matches pattern. What the benchmarks have made is left out.
func filesNamed(t *testing.T, pattern string) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path != "." && strings.HasPrefix(d.Name(), ".") || path == filepath.Join("bench", "results")) {
			return filepath.SkipDir
		}
		if ok, _ := filepath.Match(pattern, d.Name()); ok && !d.IsDir() {
			files = append(files, path)
		}
		return nil
	}))
	require.NotEmpty(t, files)
	return files
}

// page is a document, its code and its prose apart.
type page struct {
	name   string
	blocks []block
	prose  string
}

type block struct{ language, text string }

func pages(t *testing.T) (all []page) {
	t.Helper()
	for _, name := range filesNamed(t, "*.md") {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		p := page{name: name}
		var prose, code strings.Builder
		within := false
		for line := range strings.Lines(string(b)) {
			mark, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
			switch {
			case isFence && !within:
				within = true
				p.blocks = append(p.blocks, block{language: mark})
			case isFence:
				within = false
				p.blocks[len(p.blocks)-1].text = code.String()
				code.Reset()
			case within:
				code.WriteString(line)
			default:
				prose.WriteString(line)
			}
		}
		assert.False(t, within, "%s: a code block without an end", name)
		p.prose = prose.String()
		all = append(all, p)
	}
	return all
}

func TestPages_show_Go_that_an_example_compiles(t *testing.T) {
	var examples strings.Builder
	for _, name := range filesNamed(t, "example*_test.go") {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		examples.WriteString(flush(string(b)))
	}
	shown := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			assert.NotEmpty(t, b.language, "%s: a code block that names no language:\n%s", p.name, b.text)
			if b.language == "go" {
				shown++
				assert.True(t, strings.Contains(examples.String(), flush(b.text)), "%s: no example has this:\n%s", p.name, b.text)
			}
		}
	}
	assert.Greater(t, shown, 20)
}

// flush takes the indentation away, and the blanks that gofmt puts before comments at the
// end of a line.
func flush(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(beforeComment.ReplaceAllString(strings.TrimSpace(line), " //"))
		b.WriteByte('\n')
	}
	return b.String()
}

var beforeComment = regexp.MustCompile(`[\t ]+//`)

var (
	inlineCode = regexp.MustCompile("`[^`]*`")
	target     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ +(.*)$`)
)

func TestPages_link_to_what_exists(t *testing.T) {
	all := pages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range all {
		anchors[p.name] = p.anchors()
	}
	links := 0
	for _, p := range all {
		for _, m := range target.FindAllStringSubmatch(inlineCode.ReplaceAllString(p.prose, ""), -1) {
			if strings.Contains(m[1], ":") {
				continue // elsewhere
			}
			links++
			path, anchor, _ := strings.Cut(m[1], "#")
			file := p.name
			if path != "" {
				file = filepath.Join(filepath.Dir(p.name), filepath.FromSlash(path))
			}
			_, err := os.Stat(file)
			assert.NoError(t, err, "%s links to %s", p.name, m[1])
			if anchor != "" {
				assert.True(t, anchors[file][anchor], "%s links to %s", p.name, m[1])
			}
		}
	}
	assert.Greater(t, links, 30)
}

// anchors are the names that GitHub gives to headings.
func (p page) anchors() map[string]bool {
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(p.prose, -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		for unique, n := name, 1; ; n++ {
			if !names[unique] {
				names[unique] = true
				break
			}
			unique = name + "-" + strconv.Itoa(n)
		}
	}
	return names
}
