package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// report gathers tables: on standard output at once, and in a folder at the end.
type report struct {
	dir      string // empty: none
	verdicts []verdict
	tables   bytes.Buffer
}

func (p *report) add(r row, measured []runs) error {
	p.verdicts = append(p.verdicts, r.verdicts(measured)...)
	if c, ok := r.chart(measured); ok && p.dir != "" {
		if err := p.draw(r.name, c); err != nil {
			return err
		}
		fmt.Fprintf(&p.tables, "![%s](%s.svg)\n\n", r.title, r.name)
	}
	r.print(io.MultiWriter(os.Stdout, &p.tables), measured)
	fmt.Fprintf(&p.tables, "<details><summary>commands</summary>\n\n```\n")
	for _, m := range measured {
		fmt.Fprintln(&p.tables, r.command(m.peer))
	}
	fmt.Fprint(&p.tables, "```\n\n</details>\n\n")
	return nil
}

func (p *report) draw(name string, c chart) error {
	var b bytes.Buffer
	c.svg(&b)
	return os.WriteFile(filepath.Join(p.dir, name+".svg"), b.Bytes(), 0o644)
}

// missed reports whether a bound was.
func (p *report) missed() bool {
	for _, v := range p.verdicts {
		if v.missed {
			return true
		}
	}
	return false
}

// write finishes the folder.
func (p *report) write(s settings) error {
	summarize(os.Stdout, p.verdicts)
	if p.dir == "" {
		return nil
	}
	if err := p.draw("overview", overview(p.verdicts)); err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprint(&b, "# Results\n\nWritten by the benchmark; [bench/README.md](../../README.md) explains every row, peer and column.\n\n")
	s.describe(&b)
	fmt.Fprint(&b, "![ratmom beside net/http](overview.svg)\n\n")
	summarize(&b, p.verdicts)
	fmt.Fprint(&b, "## Rows\n\n")
	b.Write(p.tables.Bytes())
	return os.WriteFile(filepath.Join(p.dir, "README.md"), append(bytes.TrimRight(b.Bytes(), "\n"), '\n'), 0o644)
}
