package connfd

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// relay moves the bytes between conn and one end of a socketpair, whose other end it
// returns.
func relay(conn net.Conn, poke func()) (int, error) {
	ours, theirs, err := pair()
	if err != nil {
		_ = conn.Close()
		return -1, err
	}
	m := &mover{conn: guarded{conn}, pair: ours, poke: poke, read: make(chan struct{})}
	go m.up()
	go m.down()
	return theirs, nil
}

// mover is both directions of a relay.
type mover struct {
	conn   guarded
	pair   *net.UnixConn
	poke   func()
	broken atomic.Bool   // conn has failed
	read   chan struct{} // closed when no more is read from the pair
}

// up moves what the other end of the pair sends, and waits until that is closed.
func (m *mover) up() {
	_, err := io.Copy(m.conn, onlyReader{m.pair})
	close(m.read)
	raw, rawErr := m.pair.SyscallConn()
	if rawErr == nil && !m.broken.Load() {
		gone := false
		if err == nil && raw.Control(func(fd uintptr) { gone = hungUp(fd) }) == nil && !gone {
			m.conn.closeWrite()
		}
		_ = raw.Read(hungUp) // when writing has failed, there may still be an answer
	}
	if m.broken.Load() {
		return
	}
	_ = m.conn.Close()
	_ = m.pair.Close()
}

// down moves what conn receives.
func (m *mover) down() {
	_, err := io.Copy(onlyWriter{m.pair}, m.conn)
	if err == nil {
		_ = m.pair.CloseWrite()
		return
	}
	m.broken.Store(true)
	_ = m.conn.Close()
	_ = m.pair.SetReadDeadline(time.Unix(1, 0))
	<-m.read
	m.poke()
	_ = m.pair.Close()
}

// hungUp reports whether the other end of a socketpair is closed, and not only done with
// sending.
func hungUp(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(p, 0)
	return err == nil && n > 0 && p[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

// guarded is a connection whose methods are somebody else's code: where they panic, they
// fail.
type guarded struct{ conn net.Conn }

func (g guarded) Read(p []byte) (n int, err error) {
	defer failed(&err)
	return g.conn.Read(p)
}

func (g guarded) Write(p []byte) (n int, err error) {
	defer failed(&err)
	return g.conn.Write(p)
}

func (g guarded) Close() (err error) {
	defer failed(&err)
	return g.conn.Close()
}

// closeWrite ends the sending half, if the connection can do that.
func (g guarded) closeWrite() {
	var err error
	defer failed(&err)
	if c, ok := g.conn.(interface{ CloseWrite() error }); ok {
		err = c.CloseWrite()
	}
}

func failed(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v", v)
	}
}

// The rest of a connection's methods is no business of io.Copy.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
