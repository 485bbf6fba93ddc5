package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync"
)

// overTCP is what the kernel alone costs: a connection for each caller, and messages with
// nothing but their length before them.
type overTCP struct {
	l     net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

// What a connection is for, said in its first byte.
const (
	forEcho  = 'e'
	forReads = 'r'
	forFlood = 'f'
)

func openTCP(options) (carrier, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &overTCP{l: l}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go serveTCP(nc)
		}
	}()
	return t, nil
}

func serveTCP(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReaderSize(nc, 64<<10)
	what, err := r.ReadByte()
	var buf []byte
	for err == nil {
		switch what {
		case forEcho:
			if buf, err = readMessage(r, buf); err == nil {
				_, err = nc.Write(buf)
			}
		case forReads:
			var ask [8]byte
			if _, err = io.ReadFull(r, ask[:]); err != nil {
				return
			}
			n, size := binary.BigEndian.Uint32(ask[:]), binary.BigEndian.Uint32(ask[4:])
			message := make([]byte, 4+size)
			binary.BigEndian.PutUint32(message, size)
			for range n {
				if _, err = nc.Write(message); err != nil {
					return
				}
			}
		case forFlood:
			buf, err = readMessage(r, buf)
			if err == io.EOF {
				_, _ = nc.Write([]byte{0})
			}
		}
	}
}

// readMessage reads a length and so many bytes; both are in the result, so that an echo is one write.
func readMessage(r *bufio.Reader, buf []byte) ([]byte, error) {
	head, err := r.Peek(4)
	if err != nil {
		return buf, err
	}
	n := 4 + int(binary.BigEndian.Uint32(head))
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	_, err = io.ReadFull(r, buf[:n])
	return buf[:n], err
}

func (t *overTCP) dial(what byte) (net.Conn, error) {
	nc, err := net.Dial("tcp", t.l.Addr().String())
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.conns = append(t.conns, nc)
	t.mu.Unlock()
	_, err = nc.Write([]byte{what})
	return nc, err
}

func (t *overTCP) caller() (func([]byte) error, error) {
	nc, err := t.dial(forEcho)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(nc, 64<<10)
	var out, in []byte
	return func(req []byte) error {
		out = append(binary.BigEndian.AppendUint32(out[:0], uint32(len(req))), req...)
		failed := make(chan error, 1)
		if len(req) > 64<<10 { // more than the buffers of the kernel may hold
			go func() { _, err := nc.Write(out); failed <- err }()
		} else {
			_, err := nc.Write(out)
			failed <- err
		}
		var err error
		in, err = readMessage(r, in)
		if e := <-failed; err == nil {
			err = e
		}
		if err == nil && len(in) != len(out) {
			err = errLength
		}
		return err
	}, nil
}

func (t *overTCP) reader() (func(int, int) error, error) {
	nc, err := t.dial(forReads)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(nc, 64<<10)
	var in []byte
	return func(messages, size int) error {
		var ask [8]byte
		binary.BigEndian.PutUint32(ask[:], uint32(messages))
		binary.BigEndian.PutUint32(ask[4:], uint32(size))
		if _, err := nc.Write(ask[:]); err != nil {
			return err
		}
		var err error
		for range messages {
			if in, err = readMessage(r, in); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (t *overTCP) flood(message []byte, more func() bool) error {
	nc, err := t.dial(forFlood)
	if err != nil {
		return err
	}
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)
	for more() {
		if _, err := nc.Write(out); err != nil {
			return err
		}
	}
	if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	_, err = io.ReadFull(nc, make([]byte, 1))
	return err
}

func (t *overTCP) open() error { return errUnable }
func (t *overTCP) cut() error  { return errUnable }

func (t *overTCP) close() {
	t.l.Close()
	for _, nc := range t.conns {
		nc.Close()
	}
}
