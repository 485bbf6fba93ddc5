package resolve

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxStrays is how many datagrams that are no reply of ours are passed over before
// the question goes over TCP: somebody may be guessing (RFC 5452 section 9).
const maxStrays = 16

// exchange asks one server: over UDP, and over TCP where the reply does not fit or
// cannot be told from others.
func (d *DNS) exchange(ctx context.Context, server netip.AddrPort, q question, limit time.Duration) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := d.datagrams(ctx, server, q, true)
	if err == nil && (r.rcode == dnsmessage.RCodeFormatError || r.rcode == dnsmessage.RCodeNotImplemented) {
		// It may be older than EDNS.
		r, err = d.datagrams(ctx, server, q, false)
	}
	if errors.Is(err, errNotOurs) || err == nil && r.truncated {
		return d.stream(ctx, server, q)
	}
	return r, err
}

// datagrams asks over UDP: with a number that cannot be guessed, from a port of its own,
// over a socket that takes datagrams of the server only.
func (d *DNS) datagrams(ctx context.Context, server netip.AddrPort, q question, edns bool) (reply, error) {
	id := newID()
	query, err := q.pack(id, edns)
	if err != nil {
		return reply{}, err
	}
	conn, done, err := d.dial(ctx, "udp", server)
	if err != nil {
		return reply{}, err
	}
	defer done()
	if _, err := conn.Write(query); err != nil {
		return reply{}, err
	}
	buf := make([]byte, 4096)
	for range maxStrays {
		n, err := conn.Read(buf)
		if err != nil {
			return reply{}, err
		}
		if n == len(buf) {
			return reply{truncated: true}, nil
		}
		r, err := q.parse(buf[:n], id)
		if !errors.Is(err, errNotOurs) {
			return r, malformed(err)
		}
	}
	return reply{}, errNotOurs
}

// stream asks over TCP, a connection for each question.
func (d *DNS) stream(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	id := newID()
	query, err := q.pack(id, true)
	if err != nil {
		return reply{}, err
	}
	conn, done, err := d.dial(ctx, "tcp", server)
	if err != nil {
		return reply{}, err
	}
	defer done()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return reply{}, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return reply{}, cut(err)
	}
	msg := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, msg); err != nil {
		return reply{}, cut(err)
	}
	r, err := q.parse(msg, id)
	if err == nil && r.truncated {
		err = errors.New("truncated over TCP")
	}
	return r, malformed(err)
}

// dial makes a connection that is broken off when ctx ends. done closes it.
func (d *DNS) dial(ctx context.Context, network string, server netip.AddrPort) (conn net.Conn, done func(), err error) {
	dial := d.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err = dial(ctx, network, server.String())
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return conn, func() {
		stop()
		_ = conn.Close()
	}, nil
}

func newID() uint16 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint16(b[:])
}

// malformedError says that a reply is ours and cannot be read.
type malformedError struct{ err error }

func (e malformedError) Error() string { return e.err.Error() }
func (e malformedError) Unwrap() error { return e.err }

func malformed(err error) error {
	if err == nil {
		return nil
	}
	return malformedError{err}
}

// cut is the error of a stream that ended amid a message, or of the clock.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed(fmt.Errorf("TCP: %w", io.ErrUnexpectedEOF))
	}
	return err
}

// kindOfExchange is the kind of an error of exchange.
func kindOfExchange(err error) Kind {
	var bad malformedError
	var timeout net.Error
	switch {
	case errors.As(err, &bad):
		return Malformed
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return Refused
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	}
	return Unknown
}
