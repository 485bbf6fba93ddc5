package testserver

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// errTaken is that a port that was free when it was chosen is another's by now: that it accepts
// connections says nothing of the daemon.
var errTaken = errors.New("another process listens there")

// taken looks whether a process that is not of the daemon's group listens on a port. Where it cannot tell, it
// is content.
func (p *Process) taken(port int) error {
	sockets := listening(port)
	if len(sockets) == 0 || holds(sockets, func(pid string) bool { return groupOf(pid) == p.PID() }) {
		return nil
	}
	// A worker may just have got it from its master.
	if holds(sockets, func(pid string) bool { return groupOf(pid) != p.PID() }) {
		return fmt.Errorf("port %d: %w", port, errTaken)
	}
	return nil
}

// listening are the names, as /proc has them, of the sockets that listen on a port of 127.0.0.1 or of any
// address.
func listening(port int) map[string]bool {
	sockets := make(map[string]bool)
	table, err := os.Open("/proc/net/tcp")
	if err != nil {
		return sockets
	}
	defer func() { _ = table.Close() }()
	lines := bufio.NewScanner(table)
	lines.Scan() // the heading
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[3] != "0A" {
			break // those that listen come first, and there may be tens of thousands of others
		}
		if f[1] == fmt.Sprintf("0100007F:%04X", port) || f[1] == fmt.Sprintf("00000000:%04X", port) {
			sockets["socket:["+f[9]+"]"] = true
		}
	}
	return sockets
}

// holds reports whether one of some processes has one of the sockets open.
func holds(sockets map[string]bool, of func(pid string) bool) bool {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		if !of(filepath.Base(dir)) {
			continue
		}
		files, _ := os.ReadDir(filepath.Join(dir, "fd"))
		for _, f := range files {
			if to, err := os.Readlink(filepath.Join(dir, "fd", f.Name())); err == nil && sockets[to] {
				return true
			}
		}
	}
	return false
}

// groupOf is the process group of a process, 0 if it is gone.
func groupOf(pid string) int {
	stat, _ := os.ReadFile("/proc/" + pid + "/stat")
	f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(f) < 3 {
		return 0
	}
	group, _ := strconv.Atoi(f[2])
	return group
}
