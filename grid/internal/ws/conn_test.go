package ws

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func octets(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

var sizes = []int{0, 1, 2, 7, 31, 125, 126, 127, 4095, 65535, 65536, 70000, 1 << 20}

func TestConn_carries_messages_of_every_size_both_ways(t *testing.T) {
	for _, zero := range []bool{false, true} {
		t.Run("zero mask "+strconv.FormatBool(zero), func(t *testing.T) {
			client, server := connect(t, Handshake{ZeroMask: zero})
			for _, way := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
				for _, n := range sizes {
					sent := octets(n)
					third := n / 3
					parts := net.Buffers{sent[:third], nil, sent[third:]}
					kept := bytes.Clone(sent)
					done := make(chan error, 1)
					go func() { done <- way.from.WriteMessage(parts) }()
					assert.True(t, bytes.Equal(kept, message(t, way.to)), "%d bytes", n)
					require.NoError(t, <-done)
					assert.Equal(t, kept, sent, "the caller's memory")
					assert.Len(t, parts, 3)
					assert.Len(t, parts[2], n-third)
				}
			}
		})
	}
}

// The end of a long message is read together with what follows it.
func TestRead_takes_along_what_follows_a_long_message(t *testing.T) {
	client, server := connect(t, Handshake{})
	const long, short = readSize + directMin + 100, 300
	into := make([]byte, long)
	for _, way := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
		a, b := octets(long), octets(short)
		require.NoError(t, way.from.WriteMessage(net.Buffers{a}))
		require.NoError(t, way.from.WritePing(nil))
		require.NoError(t, way.from.WriteMessage(net.Buffers{b}))
		n, err := way.to.Next()
		require.NoError(t, err)
		require.Equal(t, long, n)
		for got := 0; got < n; {
			m, err := way.to.Read(into[got:])
			require.NoError(t, err)
			got += m
		}
		assert.True(t, bytes.Equal(a, into))
		if way.to.scatter != nil {
			assert.Greater(t, way.to.Buffered(), short)
		}
		assert.True(t, bytes.Equal(b, message(t, way.to)))
		assert.Zero(t, way.to.Buffered())
	}
	parts := net.Buffers{octets(long)}
	assert.Zero(t, testing.AllocsPerRun(50, func() {
		if err := client.WriteMessage(parts); err != nil {
			panic(err)
		}
		if n, err := server.Next(); err != nil || n != long {
			panic(err)
		}
		for got := 0; got < long; {
			m, err := server.Read(into[got:])
			if err != nil {
				panic(err)
			}
			got += m
		}
	}))
	require.NoError(t, client.Close())
	_, err := server.Next()
	assert.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestRead_of_a_long_message_fails_as_its_connection_does(t *testing.T) {
	for name, end := range map[string]func(from, to *Conn) error{
		"closed there": func(from, _ *Conn) error { return from.Close() },
		"reset there": func(from, _ *Conn) error {
			return errors.Join(from.NetConn().(*net.TCPConn).SetLinger(0), from.Close())
		},
		"closed here": func(_, to *Conn) error { return to.Close() },
		"deadline":    func(_, to *Conn) error { return to.SetReadDeadline(time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := connect(t, Handshake{})
			_, err := from.NetConn().Write(appendHeader(nil, opBinary, 1<<20, true, 7))
			require.NoError(t, err)
			_, err = to.Next()
			require.NoError(t, err)
			require.NoError(t, end(from, to))
			_, err = to.Read(make([]byte, 1<<20))
			switch name {
			case "closed there":
				assert.Equal(t, io.ErrUnexpectedEOF, err)
			case "reset there":
				assert.ErrorIs(t, err, syscall.ECONNRESET)
			case "closed here":
				assert.ErrorIs(t, err, net.ErrClosed)
			default:
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			}
		})
	}
}

// What is written over is not the caller's any more: only the other side has it as it was.
func TestWriteOver_sends_what_the_parts_were(t *testing.T) {
	for _, zero := range []bool{false, true} {
		t.Run("zero mask "+strconv.FormatBool(zero), func(t *testing.T) {
			client, server := connect(t, Handshake{ZeroMask: zero})
			for _, way := range []struct{ from, to *Conn }{{client, server}, {server, client}} {
				for _, n := range append(sizes, overFrom-1, overFrom, overFrom+5, 300_001) {
					sent := octets(n)
					kept := bytes.Clone(sent)
					parts := net.Buffers{sent[:n/3], nil, sent[n/3 : n/2], sent[n/2:]}
					done := make(chan error, 1)
					go func() { done <- way.from.WriteOver(parts) }()
					assert.True(t, bytes.Equal(kept, message(t, way.to)), "%d bytes", n)
					require.NoError(t, <-done)
					assert.Len(t, parts, 4)
				}
			}
		})
	}
}

func TestMask_is_the_key_over_and_over(t *testing.T) {
	key := [4]byte{0xde, 0xad, 0xbe, 0xef}
	for _, n := range []int{0, 1, 3, 4, 7, 8, 31, 32, 33, patternSize, patternFrom - 1, patternFrom, patternFrom + 1, patternFrom + patternSize + 45, 70_003} {
		src := octets(n)
		want := bytes.Clone(src)
		for i := range want {
			want[i] ^= key[i%4]
		}
		dst := make([]byte, n)
		next := mask(dst, src, binary.LittleEndian.Uint32(key[:]))
		require.True(t, bytes.Equal(want, dst), "%d bytes", n)
		rest := []byte{0}
		mask(rest, rest, next)
		require.Equal(t, key[n%4], rest[0], "the key for what follows %d bytes", n)
		mask(src, src, binary.LittleEndian.Uint32(key[:]))
		require.True(t, bytes.Equal(want, src), "%d bytes in their place", n)
	}
}

func TestNext_passes_over_what_was_not_read(t *testing.T) {
	client, server := connect(t, Handshake{})
	go func() {
		for _, n := range []int{10, 300000, 0, 5} {
			_ = client.WriteMessage(net.Buffers{make([]byte, n)})
		}
		_ = client.WriteMessage(net.Buffers{[]byte("last")})
	}()
	for _, want := range []int{10, 300000, 0, 5} {
		n, err := server.Next()
		require.NoError(t, err)
		require.Equal(t, want, n)
		_, err = server.Read(make([]byte, 3))
		if want == 0 {
			require.Equal(t, io.EOF, err)
		} else {
			require.NoError(t, err)
		}
	}
	assert.Equal(t, "last", string(message(t, server)))
}

func TestConn_hands_pings_and_pongs_to_its_owner(t *testing.T) {
	client, server := connect(t, Handshake{})
	var heard []string
	server.Handle(
		func(p []byte) { heard = append(heard, "ping "+string(p)) },
		func(p []byte) { heard = append(heard, "pong "+string(p)) },
	)
	require.NoError(t, client.WritePing([]byte("a")))
	require.NoError(t, client.WritePong(nil))
	require.NoError(t, client.WriteMessage(net.Buffers{[]byte("x")}))
	require.NoError(t, client.WritePing(make([]byte, 125)))
	require.NoError(t, client.WriteMessage(nil))
	assert.Equal(t, "x", string(message(t, server)))
	assert.Empty(t, message(t, server))
	assert.Equal(t, []string{"ping a", "pong ", "ping " + string(make([]byte, 125))}, heard)
	assert.Error(t, client.WritePing(make([]byte, 126)))
	require.NoError(t, client.WriteMessage(nil), "a refused frame ends nothing")
}

func TestWriteClose_is_the_error_of_the_other_side(t *testing.T) {
	for _, c := range []struct {
		code   int
		reason string
	}{{CloseNormal, ""}, {CloseGoingAway, "späte Stunde"}, {4999, "own"}, {CloseNoStatus, ""}} {
		client, server := connect(t, Handshake{})
		require.NoError(t, server.WriteClose(c.code, c.reason))
		assert.ErrorIs(t, server.WriteMessage(nil), ErrCloseSent)
		_, err := client.Next()
		var closed *CloseError
		require.ErrorAs(t, err, &closed)
		assert.Equal(t, CloseError{c.code, c.reason}, *closed)
		_, again := client.Next()
		assert.Equal(t, err, again, "it stays")
		require.NoError(t, client.WriteClose(closed.Code, ""), "the answer")
		_, err = server.Next()
		require.ErrorAs(t, err, &closed)
		require.NoError(t, server.Close())
		_, err = client.NetConn().Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err, "the server closes first")
	}
}

func TestWriteClose_refuses_codes_that_cannot_be_sent(t *testing.T) {
	client, _ := connect(t, Handshake{})
	for _, code := range []int{0, 999, 1004, 1006, 1015, 2999, 5000, 1 << 16} {
		assert.Error(t, client.WriteClose(code, ""), code)
	}
	assert.Error(t, client.WriteClose(CloseNormal, string(make([]byte, 124))))
	require.NoError(t, client.WriteClose(CloseNormal, string(make([]byte, 123))))
}

func TestNext_fails_when_the_connection_ends_without_a_close_frame(t *testing.T) {
	client, server := connect(t, Handshake{})
	require.NoError(t, client.Close())
	_, err := server.Next()
	assert.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestConn_allocates_nothing_for_a_message(t *testing.T) {
	for _, zero := range []bool{false, true} {
		client, server := connect(t, Handshake{ZeroMask: zero})
		parts := net.Buffers{octets(12), octets(512)}
		into := make([]byte, 1024)
		once := func(from, to *Conn) func() {
			return func() {
				if err := from.WriteMessage(parts); err != nil {
					panic(err)
				}
				n, err := to.Next()
				if err != nil || n != 524 {
					panic(err)
				}
				if _, err := io.ReadFull(to, into[:n]); err != nil {
					panic(err)
				}
				if _, err := to.Read(into); err != io.EOF {
					panic(err)
				}
			}
		}
		assert.Zero(t, testing.AllocsPerRun(500, once(client, server)), "to the server")
		assert.Zero(t, testing.AllocsPerRun(500, once(server, client)), "to the client")
	}
}

func TestClient_ends_with_its_context_when_the_server_is_silent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	nc := dial(t, l.Addr().String())
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, _ = c.Read(make([]byte, 1)) // the request is here
			cancel()
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	_, err = Client(ctx, nc, Handshake{Host: "a"})
	assert.ErrorIs(t, err, context.Canceled)
}
