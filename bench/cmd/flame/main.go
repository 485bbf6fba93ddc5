// Command flame draws a flame graph, as SVG, of what perf has sampled:
//
//	perf record -g -o perf.data PROGRAM...
//	perf script -i perf.data | flame -title 'a small GET' >flame.svg
//
// The width of a box is its share of the samples; colours tell the kernel, libcurl
// and other libraries, Go, and the C of this project apart.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	title := flag.String("title", "", "what was measured")
	least := flag.Float64("least", 0.004, "leave boxes out that are a smaller share than this")
	flag.Parse()
	root, err := read(os.Stdin)
	if err == nil && root.samples == 0 {
		err = fmt.Errorf("no samples in the input")
	}
	if err == nil {
		out := bufio.NewWriter(os.Stdout)
		draw(out, root, *title, *least)
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "flame:", err)
		os.Exit(1)
	}
}

// read adds the stacks of perf script up. A sample is a line of its own, the frames
// from the innermost on, each behind a tab, and an empty line.
func read(r io.Reader) (*frame, error) {
	root := &frame{name: "all"}
	var stack []string
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		switch {
		case strings.TrimSpace(line) == "":
			root.add(stack)
			stack = stack[:0]
		case line[0] == '\t':
			stack = append(stack, label(line))
		}
	}
	root.add(stack)
	return root, in.Err()
}

// label is the name of a frame and the file that it is in, with a tab between.
func label(line string) string {
	_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	name, file := rest, ""
	if i := strings.LastIndex(rest, " ("); i >= 0 {
		name, file = rest[:i], strings.TrimSuffix(rest[i+2:], ")")
	}
	if i := strings.LastIndex(name, "+0x"); i >= 0 {
		name = name[:i]
	}
	file = file[strings.LastIndexByte(file, '/')+1:]
	if name == "[unknown]" {
		name = file
	}
	return name + "\t" + file
}
