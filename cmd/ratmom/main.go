// Command ratmom is the command line of the ratmom HTTP client. "ratmom help" says
// what it can do.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/vbauerster/mpb/v8/cwriter"
)

// Exit codes. Those of HTTP errors and interrupts are curl's and the shell's.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitHTTP        = 22
	exitInterrupted = 130
)

// terminal is what a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	// bars tells whether err can show progress bars, and outTerminal whether out
	// is on a terminal, too.
	bars, outTerminal bool
}

// command is one of the words that can follow "ratmom".
type command struct {
	name, summary string
	run           func(context.Context, []string, terminal) int
}

func commands() []command {
	return []command{
		{"fetch", "fetch URLs, many at once, to standard output or to files", fetch},
		{"peers", "print what the peers of another process are doing", peers},
		{"version", "print the versions of ratmom and libcurl, and what this libcurl can do", version},
		{"help", "print this", help},
	}
}

func main() {
	// The first interrupt cancels what runs; after it the signals do what they
	// always do, so that a second one ends a program that hangs.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := runChecked(ctx, os.Args[1:], terminal{
		in:          os.Stdin,
		out:         os.Stdout,
		err:         os.Stderr,
		bars:        cwriter.IsTerminal(int(os.Stderr.Fd())),
		outTerminal: cwriter.IsTerminal(int(os.Stdout.Fd())),
	})
	os.Exit(code)
}

// runChecked is run, which fails if not all of its output could be written.
func runChecked(ctx context.Context, args []string, t terminal) int {
	out := &checked{to: t.out}
	t.out = out
	code := run(ctx, args, t)
	if err := out.failure(); err != nil && code == exitOK {
		_, _ = fmt.Fprintf(t.err, "ratmom: %v\n", err)
		return exitFailed
	}
	return code
}

// checked remembers the first error of a writer, so that what prints help or metrics
// need not look at every write.
type checked struct {
	to  io.Writer
	mu  sync.Mutex
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	if err != nil {
		c.mu.Lock()
		if c.err == nil {
			c.err = err
		}
		c.mu.Unlock()
	}
	return n, err
}

func (c *checked) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func run(ctx context.Context, args []string, t terminal) int {
	if len(args) == 0 {
		return usageError(t, "", "no command")
	}
	name := args[0]
	switch name {
	case "-h", "--help":
		name = "help"
	case "-V", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args[1:], t)
		}
	}
	if strings.Contains(name, "://") {
		return usageError(t, "", "%q is not a command; to fetch it: ratmom fetch %s", name, name)
	}
	return usageError(t, "", "%q is not a command", name)
}

func help(ctx context.Context, args []string, t terminal) int {
	if len(args) > 0 && args[0] != "help" && !strings.HasPrefix(args[0], "-") {
		return run(ctx, []string{args[0], "--help"}, t)
	}
	_, _ = fmt.Fprint(t.out, "ratmom is an HTTP client on libcurl, for many servers at once.\n\nUsage: ratmom COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(t.out, "  %-9s %s\n", c.name, c.summary)
	}
	_, _ = fmt.Fprint(t.out, "\n\"ratmom COMMAND --help\" says more, with examples. To begin:\n\n  ratmom fetch --demo\n")
	return exitOK
}

// usageError says what is wrong with the command line.
func usageError(t terminal, name, format string, args ...any) int {
	full := strings.TrimSpace("ratmom " + name)
	_, _ = fmt.Fprintf(t.err, "%s: %s\nTry \"%s --help\".\n", full, fmt.Sprintf(format, args...), full)
	return exitUsage
}
