//go:build unix

package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// socketFile is the file of a unix socket that is to go with its listener.
type socketFile struct {
	path string // absolute
	info fs.FileInfo
}

// ownFile notes the file that is there now.
func ownFile(path string) (*socketFile, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(abs)
	if err != nil {
		return nil, err
	}
	return &socketFile{path: abs, info: info}, nil
}

// remove removes the file, unless another has taken its place.
func (f *socketFile) remove() {
	unlock, err := lockFolder(context.Background(), f.path)
	if err == nil {
		defer unlock()
	}
	if now, err := os.Lstat(f.path); err == nil && os.SameFile(now, f.info) {
		_ = os.Remove(f.path)
	}
}

// fileListener removes its file when it closes.
type fileListener struct {
	*net.UnixListener
	file *socketFile
	once sync.Once
}

func (l *fileListener) Close() error {
	// The file goes first: nobody is to find it and be refused.
	l.once.Do(l.file.remove)
	return l.UnixListener.Close()
}

func listenFile(ctx context.Context, network, path string, mode fs.FileMode) (net.Listener, *socketFile, error) {
	fail := func(err error) (net.Listener, *socketFile, error) {
		return nil, nil, fmt.Errorf("listen: unix socket %s: %w", path, err)
	}
	// The lock covers the time from bind to listen, too, in which a live socket looks
	// like one left behind. Who may not read the folder does without, and removes nothing.
	unlock, lockErr := lockFolder(ctx, path)
	if lockErr == nil {
		defer unlock()
	} else if !errors.Is(lockErr, fs.ErrPermission) {
		return fail(lockErr)
	}
	lc := net.ListenConfig{}
	if mode != 0 && runtime.GOOS == "linux" {
		// bind makes the file with the mode of the socket, less the umask.
		lc.Control = func(_, _ string, raw syscall.RawConn) error {
			var err error
			if failed := raw.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), uint32(mode)) }); failed != nil {
				return failed
			}
			return err
		}
	}
	l, err := lc.Listen(ctx, network, path)
	if errors.Is(err, syscall.EADDRINUSE) && lockErr == nil {
		if err = removeStale(ctx, network, path); err != nil {
			return fail(err)
		}
		l, err = lc.Listen(ctx, network, path)
	}
	if err != nil {
		return nil, nil, err
	}
	u := l.(*net.UnixListener)
	u.SetUnlinkOnClose(false) // it does not look whose file it is
	file, err := ownFile(path)
	if err == nil && mode != 0 && file.info.Mode().Perm() != mode {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		_ = u.Close()
		return fail(err)
	}
	return &fileListener{UnixListener: u, file: file}, file, nil
}

// removeStale removes the file of a socket at which nobody listens.
func removeStale(ctx context.Context, network, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("there is another kind of file: %w", syscall.EADDRINUSE)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, path)
	switch {
	case err == nil:
		_ = c.Close()
		return fmt.Errorf("somebody listens there: %w", syscall.EADDRINUSE)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	}
	// A full backlog, a socket of another type, a file of another user's.
	return fmt.Errorf("%w: %w", syscall.EADDRINUSE, err)
}

// lockWait is how long others may hold the lock of a folder, who need moments.
const lockWait = 5 * time.Second

// lockFolder locks the folder of a file against other processes that do.
func lockFolder(ctx context.Context, path string) (unlock func(), err error) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = folder.Close() }, nil // closing unlocks
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			_ = folder.Close()
			return nil, os.NewSyscallError("flock", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = folder.Close()
			return nil, fmt.Errorf("another process holds the lock of %s: %w", filepath.Dir(path), ctx.Err())
		}
	}
}
