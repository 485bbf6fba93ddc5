package gridtest

import (
	"net"
	"strconv"
)

// Addr is an end of a connection. Port 0 is the one that a node listens on.
type Addr struct {
	Node string
	Port int
}

// Network is "gridtest".
func (Addr) Network() string { return "gridtest" }

// String is "node:port".
func (a Addr) String() string { return net.JoinHostPort(a.Node, strconv.Itoa(a.Port)) }

// opError puts err in the form that package net gives its errors.
func opError(op string, source, target net.Addr, err error) error {
	return &net.OpError{Op: op, Net: Addr{}.Network(), Source: source, Addr: target, Err: err}
}
