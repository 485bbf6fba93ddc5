package listen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

// handoverVariable carries a handover to the next process.
const handoverVariable = "RATMOM_LISTEN"

// handover is what the next process is told: its control connection, and the numbers of
// the sockets behind it in order.
type handover struct {
	Control int    `json:"control"`
	Sockets []spec `json:"sockets"`
}

// The words on the control connection.
const (
	wordReady = "ready\n" // of the new process: start me
	wordGo    = "go\n"    // of the old one: the sockets are yours
)

// Restart starts the program again and hands all open listeners over to it. cmd says what
// to start, nil the program as this process was started: the same path, which by now may
// be another binary, arguments and environment. cmd.ExtraFiles and cmd.Env are added to.
//
// It returns nil when the new process has called Ready. From then on this one accepts
// nothing: Draining is closed, and it is time for Drain. If the new process ends before
// or ctx is over, it is killed and Restart returns an error; this process has gone on
// serving and does so still.
//
// Nothing is lost between the two: both have the same sockets, at which connections wait
// until either accepts them.
//
// Under systemd (Type=notify or notify-reload) systemd is told of it and of the new main
// process.
func (s *Sockets) Restart(ctx context.Context, cmd *exec.Cmd) error {
	sockets, err := s.beginRestart()
	if err != nil {
		return err
	}
	err = s.replace(ctx, cmd, sockets)
	s.mu.Lock()
	s.restart = false
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("listen: restart: %w", err)
	}
	return nil
}

func (s *Sockets) beginRestart() ([]*socket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.handed:
		return nil, ErrHandedOver
	case s.restart:
		return nil, ErrRestarting
	case !s.ready:
		return nil, ErrNotReady
	}
	s.restart = true
	return append([]*socket(nil), s.open...), nil
}

func (s *Sockets) replace(ctx context.Context, cmd *exec.Cmd, sockets []*socket) (err error) {
	if cmd == nil {
		cmd = exec.Command(s.program, os.Args[1:]...)
		cmd.Args[0] = os.Args[0]
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	control, theirs, err := controlPair()
	if err != nil {
		return err
	}
	defer control.Close()
	passed := []*os.File{theirs}
	defer func() { closeFiles(passed) }()
	told := handover{Control: 3 + len(cmd.ExtraFiles)}
	for _, k := range sockets {
		f, err := duplicate(k.Listener)
		if err != nil {
			return fmt.Errorf("%s: %w", k.Addr(), err)
		}
		passed = append(passed, f)
		told.Sockets = append(told.Sockets, k.spec)
	}
	words, err := json.Marshal(told)
	if err != nil {
		return err
	}
	cmd.Env = append(without(cmd.Environ(), handoverVariable), handoverVariable+"="+string(words))
	cmd.ExtraFiles = append(cmd.ExtraFiles[:len(cmd.ExtraFiles):len(cmd.ExtraFiles)], passed...)
	if _, err := Notify(reloading()); err != nil {
		return err
	}
	if err = cmd.Start(); err == nil {
		closeFiles(passed)
		passed = nil
		err = s.await(ctx, cmd, control)
	}
	if err != nil {
		_, notifyErr := Notify(fmt.Sprintf("MAINPID=%d\nREADY=1\nSTATUS=restart failed", os.Getpid()))
		return errors.Join(err, notifyErr)
	}
	s.commit(sockets)
	return nil
}

// await waits until the new process is ready and has been told to go on. In any other
// case it is gone.
func (s *Sockets) await(ctx context.Context, cmd *exec.Cmd, control net.Conn) error {
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	said := make(chan error, 1)
	go func() { said <- expect(control, wordReady) }()
	var err error
	select {
	case err = <-said:
		if err == nil {
			// systemd first: it would take the end of this process for that of the service.
			_, err = Notify(fmt.Sprintf("MAINPID=%d\nREADY=1", cmd.Process.Pid))
		}
		if err == nil {
			_, err = control.Write([]byte(wordGo))
		}
		if err == nil {
			return nil
		}
		_ = cmd.Process.Kill() // it may have closed its end only
		err = errors.Join(errors.New("the new process was not ready"), err, <-exited)
	case err = <-exited:
		err = errors.Join(errors.New("the new process ended before it was ready"), err)
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		err = errors.Join(fmt.Errorf("the new process was not ready in time: %w", ctx.Err()), <-exited)
	}
	return err
}

// commit makes this process the old one.
func (s *Sockets) commit(sockets []*socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed = true
	close(s.draining)
	for _, k := range sockets {
		// The files of unix sockets belong to the new process from here on.
		if f, ok := k.Listener.(keeper); ok {
			f.keepFile()
		}
		_ = k.Listener.Close()
	}
}

// keeper is a listener that can be told to leave its file alone.
type keeper interface{ keepFile() }

// Ready says that this process is about to accept connections. Sockets that it was
// started with and has not asked for by now are closed. The process before, if there is
// one, then stops accepting, and Ready returns when it has said so; ctx limits the wait.
// If it does not, this process should end. Without one, systemd is told, if it asked.
func (s *Sockets) Ready(ctx context.Context) error {
	s.mu.Lock()
	s.dropInherited()
	p, first := s.previous, !s.ready
	s.mu.Unlock()
	switch {
	case p != nil:
		if err := p.takeOver(ctx); err != nil {
			return fmt.Errorf("listen: ready: %w", err)
		}
	case first:
		if _, err := Notify("READY=1"); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready, s.previous = true, nil
	if p == nil {
		return nil
	}
	for _, k := range s.open {
		// Only now: the process before would miss the file if this one had failed.
		if k.spec.Unlink && k.file == nil {
			k.adoptFile()
		}
	}
	return nil
}

// previous is the process before this one.
type previous struct{ control net.Conn }

func (p *previous) takeOver(ctx context.Context) error {
	defer p.control.Close()
	stop := context.AfterFunc(ctx, func() { _ = p.control.Close() })
	defer stop()
	_, err := p.control.Write([]byte(wordReady))
	if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	} else {
		err = expect(p.control, wordGo)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the process before does not answer: %w", ctx.Err())
	}
	if errors.Is(err, errGone) {
		return nil // it has died: there is nobody else to serve
	}
	return err
}

// errGone is the end of the other side of a control connection.
var errGone = errors.New("the other process is gone")

func expect(c net.Conn, word string) error {
	b := make([]byte, len(word))
	for n := 0; n < len(b); {
		m, err := c.Read(b[n:])
		if n += m; err != nil && n < len(b) {
			return fmt.Errorf("%w: %w", errGone, err)
		}
	}
	if string(b) != word {
		return fmt.Errorf("the other process says %q in place of %q", b, word)
	}
	return nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// without leaves out the entries of some variables.
func without(environ []string, names ...string) []string {
	var left []string
entries:
	for _, entry := range environ {
		for _, name := range names {
			if strings.HasPrefix(entry, name+"=") {
				continue entries
			}
		}
		left = append(left, entry)
	}
	return left
}
