package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// program is a running server of ours.
type program struct {
	addr   string
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout *bufio.Reader
}

func startProgram(core, name string, args []string) (*program, error) {
	cmd := pinned(core, name, args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &program{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}
	if p.addr, err = p.stdout.ReadString('\n'); err != nil {
		_ = cmd.Wait()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.addr = strings.TrimSpace(p.addr)
	return p, nil
}

// stop ends it and returns what it said last.
func (p *program) stop() string {
	_ = p.stdin.Close()
	last, _ := io.ReadAll(p.stdout)
	_ = p.cmd.Wait()
	return strings.TrimSpace(string(last))
}
