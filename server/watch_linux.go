package server

import (
	"crypto/tls"
	"errors"
	"os"
	"sync"
	"syscall"
)

// watcher tells connections that their client is gone, while nobody reads them: one goroutine and
// one epoll set for all connections of a listener. It asks only for the end of the client's bytes and
// for errors, so bytes that come do not wake it.
type watcher struct {
	file *os.File
	raw  syscall.RawConn

	mu      sync.Mutex
	watches map[uint64]*watch
	last    uint64
	users   int
}

// watch is one connection that is watched. Its methods do nothing on nil.
type watch struct {
	watcher *watcher
	id      uint64
	conn    *conn
	socket  syscall.RawConn
	tls     bool
}

func newWatcher() *watcher { return &watcher{watches: make(map[uint64]*watch), users: 1} }

// open makes the epoll set. The first socket needs it. The lock is held.
func (w *watcher) open() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	if w.raw, err = file.SyscallConn(); err != nil {
		_ = file.Close()
		return err
	}
	w.file = file
	go w.loop()
	return nil
}

const edgeTriggered = 1 << 31 // syscall.EPOLLET is negative

// add watches a connection, if its socket is one that can be.
func (w *watcher) add(c *conn) *watch {
	s, ok := c.bare.(syscall.Conn)
	if !ok {
		return nil
	}
	socket, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	_, isTLS := c.rwc.(*tls.Conn)
	w.mu.Lock()
	if w.file == nil && w.open() != nil {
		w.mu.Unlock()
		return nil // a read must tell
	}
	w.last++
	h := &watch{watcher: w, id: w.last, conn: c, socket: socket, tls: isTLS}
	w.watches[h.id] = h
	w.users++
	w.mu.Unlock()
	if err := h.control(syscall.EPOLL_CTL_ADD); err != nil {
		h.forget()
		w.release()
		return nil
	}
	return h
}

func (h *watch) control(op int) (err error) {
	event := syscall.EpollEvent{Events: syscall.EPOLLRDHUP | edgeTriggered, Fd: int32(h.id), Pad: int32(h.id >> 32)}
	outer := h.watcher.raw.Control(func(epoll uintptr) {
		inner := h.socket.Control(func(fd uintptr) { err = syscall.EpollCtl(int(epoll), op, int(fd), &event) })
		err = errors.Join(err, inner)
	})
	return errors.Join(err, outer)
}

// remove ends the watch. It is called before the socket is closed or given away.
func (h *watch) remove() {
	if h != nil && h.forget() {
		_ = h.control(syscall.EPOLL_CTL_DEL) // a closed socket has left by itself
		h.watcher.release()
	}
}

func (h *watch) forget() bool {
	w := h.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	_, there := w.watches[h.id]
	delete(w.watches, h.id)
	return there
}

// release is called once by the watcher's maker and once for each watch; the last one closes.
func (w *watcher) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users--; w.users == 0 && w.file != nil {
		_ = w.file.Close()
	}
}

// atEnd reports whether FIN is what comes next. What TLS has sent before it cannot be told.
func (h *watch) atEnd() bool {
	if h == nil {
		return false
	}
	n, err := h.peek()
	return h.tls || n == 0 && err == nil
}

// unread reports whether there are bytes that nobody has read.
func (h *watch) unread() bool {
	if h == nil {
		return false
	}
	n, _ := h.peek()
	return n > 0
}

func (h *watch) peek() (n int, err error) {
	outer := h.socket.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return n, errors.Join(err, outer)
}

func (w *watcher) loop() {
	var events [128]syscall.EpollEvent
	for {
		n := 0
		var failed error
		err := w.raw.Read(func(fd uintptr) bool {
			n, failed = syscall.EpollWait(int(fd), events[:], 0)
			return n > 0 || failed != nil && failed != syscall.EINTR
		})
		if err != nil || failed != nil {
			return
		}
		for _, e := range events[:n] {
			w.mu.Lock()
			h := w.watches[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]
			w.mu.Unlock()
			if h != nil {
				h.tell(e.Events&(syscall.EPOLLERR|syscall.EPOLLHUP) != 0)
			}
		}
	}
}

// tell lets no hook of a user run on the watcher's goroutine.
func (h *watch) tell(reset bool) {
	c := h.conn
	if !reset {
		c.fin.Store(true)
		if h.atEnd() {
			c.halfClosed()
		}
		return
	}
	if c.enter() {
		go func() {
			defer c.leave()
			c.abort()
		}()
	}
}
