package testserver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
)

// SOCKS says how a SOCKS proxy behaves; the zero value forwards for anybody, with
// SOCKS4, 4a and 5.
type SOCKS struct {
	// Credentials wants SOCKS5 with User and Password.
	Credentials bool
	// Hosts maps host:port, as clients name it, to the address to connect to; other
	// names are resolved as usual.
	Hosts map[string]string
	// Refuse answers every request with this reply code, such as 0x5b (SOCKS4) or
	// 0x02 (SOCKS5); 0 does not.
	Refuse byte
	// Hang never answers.
	Hang bool
}

// SOCKSRequest is what a client has asked for.
type SOCKSRequest struct {
	Version  int    // 4 or 5
	Target   string // host:port
	ByName   bool   // the proxy was to resolve the name: SOCKS4a, SOCKS5 with a domain
	User     string // of SOCKS4, or of SOCKS5 with Credentials
	Password string
}

// SOCKSServer is a running SOCKS proxy.
type SOCKSServer struct {
	*RawServer
	socks    SOCKS
	list     watch
	requests []SOCKSRequest
}

// StartSOCKS starts a SOCKS proxy.
func StartSOCKS(t testing.TB, socks SOCKS, options ...Option) *SOCKSServer {
	t.Helper()
	s := &SOCKSServer{socks: socks}
	s.RawServer = Raw(t, s.serve, options...)
	return s
}

// Targets are the requests so far.
func (s *SOCKSServer) Targets() (all []SOCKSRequest) {
	s.list.read(func() { all = append(all, s.requests...) })
	return all
}

func (s *SOCKSServer) serve(c *Conn) {
	if s.socks.Hang {
		c.UntilClosed()
		return
	}
	version, err := c.br.ReadByte()
	if err != nil {
		return
	}
	var r SOCKSRequest
	granted, refused := "\x00\x5a\x00\x00\x00\x00\x00\x00", "\x00\x5b\x00\x00\x00\x00\x00\x00"
	switch {
	case version == 4 && !s.socks.Credentials:
		r, err = s.read4(c)
	case version == 5:
		granted, refused = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"
		r, err = s.read5(c)
	default:
		err = errSOCKS
	}
	if err != nil {
		return
	}
	s.list.change(func() { s.requests = append(s.requests, r) })
	if s.socks.Refuse != 0 {
		reply := []byte(refused)
		reply[1] = s.socks.Refuse
		_ = c.Send(string(reply))
		return
	}
	target := r.Target
	if mapped, ok := s.socks.Hosts[target]; ok {
		target = mapped
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		_ = c.Send(refused)
		return
	}
	defer func() { _ = server.Close() }()
	if c.Send(granted) == nil {
		splice(c, c.br, server, server, func() {})
	}
}

var errSOCKS = errors.New("not the SOCKS that was expected")

// read4 reads a request of SOCKS4 or 4a.
func (s *SOCKSServer) read4(c *Conn) (r SOCKSRequest, err error) {
	head := make([]byte, 7) // command, port, address
	if _, err := io.ReadFull(c.br, head); err != nil || head[0] != 1 {
		return r, errSOCKS
	}
	user, err := c.br.ReadBytes(0)
	if err != nil {
		return r, err
	}
	r = SOCKSRequest{Version: 4, User: string(bytes.TrimSuffix(user, []byte{0}))}
	host := net.IP(head[3:7]).String()
	if head[3] == 0 && head[4] == 0 && head[5] == 0 && head[6] != 0 {
		name, err := c.br.ReadBytes(0)
		if err != nil {
			return r, err
		}
		r.ByName, host = true, string(bytes.TrimSuffix(name, []byte{0}))
	}
	r.Target = hostPort(host, binary.BigEndian.Uint16(head[1:]))
	return r, nil
}

// read5 goes through the greeting, the credentials and the request of SOCKS5.
func (s *SOCKSServer) read5(c *Conn) (r SOCKSRequest, err error) {
	r.Version = 5
	methods, err := lengthAndBytes(c)
	if err != nil {
		return r, err
	}
	method := byte(0)
	if s.socks.Credentials {
		method = 2
	}
	if !bytes.Contains(methods, []byte{method}) {
		_ = c.Send("\x05\xff")
		return r, errSOCKS
	}
	if err := c.Send("\x05" + string(method)); err != nil {
		return r, err
	}
	if s.socks.Credentials {
		if r.User, r.Password, err = s.login(c); err != nil {
			return r, err
		}
	}
	head := make([]byte, 4) // version, command, reserved, kind of address
	if _, err := io.ReadFull(c.br, head); err != nil || head[1] != 1 {
		return r, errSOCKS
	}
	var host []byte
	switch head[3] {
	case 1:
		host = make([]byte, net.IPv4len)
		_, err = io.ReadFull(c.br, host)
	case 4:
		host = make([]byte, net.IPv6len)
		_, err = io.ReadFull(c.br, host)
	case 3:
		r.ByName = true
		host, err = lengthAndBytes(c)
	default:
		err = errSOCKS
	}
	port := make([]byte, 2)
	if err != nil {
		return r, err
	}
	if _, err := io.ReadFull(c.br, port); err != nil {
		return r, err
	}
	name := string(host)
	if !r.ByName {
		name = net.IP(host).String()
	}
	r.Target = hostPort(name, binary.BigEndian.Uint16(port))
	return r, nil
}

// login is the sub-negotiation of RFC 1929.
func (s *SOCKSServer) login(c *Conn) (user, password string, err error) {
	if version, err := c.br.ReadByte(); err != nil || version != 1 {
		return "", "", errSOCKS
	}
	u, err := lengthAndBytes(c)
	if err != nil {
		return "", "", err
	}
	p, err := lengthAndBytes(c)
	if err != nil {
		return "", "", err
	}
	if string(u) != User || string(p) != Password {
		_ = c.Send("\x01\x01")
		return "", "", errSOCKS
	}
	return string(u), string(p), c.Send("\x01\x00")
}

func lengthAndBytes(c *Conn) ([]byte, error) {
	n, err := c.br.ReadByte()
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(c.br, b)
	return b, err
}
