package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/ratmom/ratmom/bench/internal/result"
	"github.com/ratmom/ratmom/bench/internal/serve"
)

// idle opens connections that have made one request each, and looks what they have added to the server's
// memory.
func (s *service) idle(res *result.Result, server served) error {
	addr := strings.TrimPrefix(server.origin, h1.scheme())
	asker, err := dialIdle(addr)
	if err != nil {
		return err
	}
	defer asker.Close()
	memory := func() (int64, error) {
		for range 2 { // what the first collection freed, the second one gives back
			if err := asker.get(serve.GCPath); err != nil {
				return 0, err
			}
		}
		return memoryOf(server.pid, "VmRSS:")
	}
	m := result.Now()
	before, err := memory()
	if err != nil {
		return err
	}
	for range s.size {
		c, err := dialIdle(addr)
		if err != nil {
			return err
		}
		defer c.Close() // all at the end
		if err := c.get(small.path()); err != nil {
			return err
		}
	}
	after, err := memory()
	if err != nil {
		return err
	}
	res.Since(m)
	res.Requests = int64(s.size)
	res.IdleBytes = float64(after-before) * 1024 / float64(s.size)
	if res.IdleBytes <= 0 {
		return fmt.Errorf("%d connections took no memory: %d KiB before, %d after", s.size, before, after)
	}
	return nil
}

type idleConn struct {
	net.Conn
	r *bufio.Reader
}

func dialIdle(addr string) (*idleConn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &idleConn{c, bufio.NewReaderSize(c, 512)}, nil
}

func (c *idleConn) get(path string) error {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
