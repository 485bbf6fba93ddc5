package body

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Part is one part of a [Multipart] form.
type Part struct {
	name, file string
	isFile     bool
	header     []string // further lines
	content    *Content
}

// Field is the value of a field. It has no type, as in browsers.
func Field(name, value string) Part {
	return Part{name: name, content: Data("", []byte(value))}
}

// FileField is the file at path, under its own name; see [File].
func FileField(name, path string) Part {
	return FileFrom(name, filepath.Base(path), File(path))
}

// FieldFrom is a field whose value is c, with its type.
func FieldFrom(name string, c *Content) Part { return Part{name: name, content: c} }

// FileFrom is a file with the given name and the content c. Without a type it is
// application/octet-stream.
func FileFrom(name, fileName string, c *Content) Part {
	return Part{name: name, file: fileName, isFile: true, content: c}
}

// WithHeader returns the part with a header field more. Content-Disposition and
// Content-Type are made from the rest.
func (p Part) WithHeader(name, value string) Part {
	p.header = append(p.header[:len(p.header):len(p.header)], name+": "+value)
	return p
}

// head is what stands before the part's content.
func (p *Part) head() (string, error) {
	if p.content == nil {
		return "", fmt.Errorf("part %q has no content", p.name)
	}
	if p.content.err != nil {
		return "", fmt.Errorf("part %q: %w", p.name, p.content.err)
	}
	var b strings.Builder
	b.WriteString(`Content-Disposition: form-data; name="`)
	if err := writeQuoted(&b, fieldLines.Replace(p.name)); err != nil {
		return "", fmt.Errorf("part name %q: %w", p.name, err)
	}
	kind := p.content.kind
	if p.isFile {
		b.WriteString(`"; filename="`)
		if err := writeQuoted(&b, p.file); err != nil {
			return "", fmt.Errorf("file name %q: %w", p.file, err)
		}
		if kind == "" {
			kind = octets
		}
	}
	b.WriteString("\"\r\n")
	if kind != "" {
		if !httpguts.ValidHeaderFieldValue(kind) {
			return "", fmt.Errorf("part %q: bad type %q", p.name, kind)
		}
		b.WriteString("Content-Type: " + kind + "\r\n")
	}
	for _, line := range p.header {
		name, value, _ := strings.Cut(line, ": ")
		switch key := http.CanonicalHeaderKey(name); {
		case !httpguts.ValidHeaderFieldName(name), !httpguts.ValidHeaderFieldValue(value):
			return "", fmt.Errorf("part %q: bad header field %q", p.name, name)
		case key == "Content-Disposition", key == "Content-Type":
			return "", fmt.Errorf("part %q: header field %q is made from name, file name and content", p.name, name)
		}
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String(), nil
}

// fieldLines makes the line ends of a field's name CR LF.
var fieldLines = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")

// quoted is how browsers write names: whatever else stands in them goes as it is
// (HTML, "multipart/form-data encoding algorithm").
var quoted = strings.NewReplacer("\n", "%0A", "\r", "%0D", `"`, "%22")

var errControl = errors.New("has a control character")

func writeQuoted(b *strings.Builder, s string) error {
	s = quoted.Replace(s)
	if !httpguts.ValidHeaderFieldValue(s) {
		return errControl
	}
	b.WriteString(s)
	return nil
}
