package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sort"
	"sync"
	"time"
)

// patience is how long every step of the story may take.
const patience = 30 * time.Second

var names = []string{"a", "b", "c"}

// story starts the servers, kills one, and starts it again. It shows each state for a while.
func story(ctx context.Context, watch time.Duration, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &stage{out: out, changed: make(chan struct{}), reports: map[string]report{}, servers: map[string]*server{}}
	defer s.close()
	for _, name := range names {
		if err := s.start(ctx, name, "127.0.0.1:0"); err != nil {
			return err
		}
	}
	if err := s.wait(ctx, "all to listen", func() bool { return len(s.reports) == len(names) }); err != nil {
		return err
	}
	for _, name := range names {
		s.introduce(name)
	}
	before := map[string]int64{}
	working := func() bool {
		n := 0
		for _, r := range s.reports {
			for _, l := range r.Links {
				if l.State == "up" && l.Calls > before[r.Name+l.Peer] && l.Ticks > 0 {
					n++
				}
			}
		}
		return n == len(names)*(len(names)-1)
	}
	if err := s.wait(ctx, "all to call each other", working); err != nil {
		return err
	}
	s.show(ctx, "Three servers call each other.", watch)

	const victim = "b"
	var addr string
	s.lock(func() { addr = s.reports[victim].Addr })
	s.kill(victim)
	err := s.wait(ctx, "the others to see that one is gone", func() bool {
		for _, r := range s.reports {
			for _, l := range r.Links {
				if l.Peer == victim && (l.State == "up" || l.Failed == 0) {
					return false
				}
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	s.show(ctx, victim+" was killed: calls to it fail at once, the others go on.", watch)

	s.lock(func() {
		for _, r := range s.reports {
			for _, l := range r.Links {
				before[r.Name+l.Peer] = l.Calls
			}
		}
	})
	if err := s.start(ctx, victim, addr); err != nil {
		return err
	}
	if err := s.wait(ctx, victim+" to listen", func() bool { return s.reports[victim].Addr != "" }); err != nil {
		return err
	}
	back := time.Now()
	s.introduce(victim)
	if err := s.wait(ctx, "all to call each other again", working); err != nil {
		return err
	}
	s.show(ctx, fmt.Sprintf("%s is back, and all calls were answered again after %d ms.", victim, time.Since(back).Milliseconds()), watch)
	return ctx.Err()
}

// stage is where the servers are.
type stage struct {
	out io.Writer

	mu      sync.Mutex
	reports map[string]report // the last of each that lives
	changed chan struct{}     // closed at the next report
	servers map[string]*server
}

// server is one process.
type server struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{}
}

// start runs this program again, as one of the servers.
func (s *stage) start(ctx context.Context, name, addr string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "node", name, addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &server{cmd: cmd, in: in, done: make(chan struct{})}
	s.servers[name] = p
	go func() {
		defer close(p.done)
		for reports := json.NewDecoder(out); ; {
			var r report
			if reports.Decode(&r) != nil {
				break
			}
			s.lock(func() {
				s.reports[name] = r
				close(s.changed)
				s.changed = make(chan struct{})
			})
		}
		_ = cmd.Wait()
	}()
	return nil
}

// introduce tells a server who the others are.
func (s *stage) introduce(name string) {
	s.lock(func() {
		for _, other := range names {
			if other != name {
				_, _ = fmt.Fprintln(s.servers[name].in, other, s.reports[other].Addr)
			}
		}
	})
}

// kill ends a server without a word.
func (s *stage) kill(name string) {
	p := s.servers[name]
	_ = p.cmd.Process.Kill()
	<-p.done
	s.lock(func() { delete(s.reports, name) })
}

// close has all servers end.
func (s *stage) close() {
	for _, p := range s.servers {
		_ = p.in.Close()
	}
	for _, p := range s.servers {
		select {
		case <-p.done:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	}
}

func (s *stage) lock(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// wait waits until something is so.
func (s *stage) wait(ctx context.Context, what string, is func() bool) error {
	limit, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for {
		s.mu.Lock()
		yes, changed := is(), s.changed
		s.mu.Unlock()
		if yes {
			return nil
		}
		select {
		case <-changed:
		case <-limit.Done():
			return errors.Join(limit.Err(), errors.New("waiting for "+what))
		}
	}
}

// show prints a line and the table, again and again for a while on a terminal.
func (s *stage) show(ctx context.Context, line string, watch time.Duration) {
	_, _ = fmt.Fprintf(s.out, "\n%s\n", line)
	rows := s.table()
	for end := time.Now().Add(watch); time.Now().Before(end) && ctx.Err() == nil; {
		sleep(ctx, 200*time.Millisecond)
		if terminal(s.out) {
			_, _ = fmt.Fprintf(s.out, "\x1b[%dA", rows)
			rows = s.table()
		}
	}
}

// table prints who has what from whom, and gives the number of lines.
func (s *stage) table() int {
	var lines []string
	s.lock(func() {
		for _, r := range s.reports {
			for _, l := range r.Links {
				lines = append(lines, fmt.Sprintf("%s to %s  %-8s %8d %8d %8d %9s %10d  %.40s", r.Name, l.Peer, l.State,
					l.Calls, l.Ticks, l.Failed, l.RTT.Round(time.Microsecond), l.Opened, l.LastError))
			}
		}
	})
	sort.Strings(lines)
	clear := ""
	if terminal(s.out) {
		clear = "\x1b[K"
	}
	_, _ = fmt.Fprintf(s.out, "        state       calls  messages   failed round trip   sessions  last error%s\n", clear)
	for _, l := range lines {
		_, _ = fmt.Fprintf(s.out, "%s%s\n", l, clear)
	}
	for range len(names)*(len(names)-1) - len(lines) {
		_, _ = fmt.Fprintf(s.out, "%s\n", clear)
	}
	return 1 + len(names)*(len(names)-1)
}

func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
