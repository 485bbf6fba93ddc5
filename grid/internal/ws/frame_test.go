package ws

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// script is a connection whose other side has said all it ever will.
type script struct {
	net.Conn
	io.Reader
}

func (s script) Read(p []byte) (int, error) { return s.Reader.Read(p) }

func serverOf(b ...[]byte) *Conn {
	return newConn(script{Reader: bytes.NewReader(slices.Concat(b...))}, false)
}

// masked is a whole frame of a client with the first byte given.
func masked(first byte, payload string) []byte {
	b := appendHeader(nil, 0, len(payload), true, 0x04030201)
	b[0] = first
	at := len(b)
	b = append(b, payload...)
	mask(b[at:], b[at:], 0x04030201)
	return b
}

// bare is a whole frame of a server.
func bare(first byte, payload string) []byte {
	b := appendHeader(nil, 0, len(payload), false, 0)
	b[0] = first
	return append(b, payload...)
}

func TestNext_refuses_what_no_frame_may_be(t *testing.T) {
	long := string(make([]byte, 126))
	for _, c := range []struct {
		name   string
		client bool // we are
		in     []byte
		want   error
	}{
		{"reserved bit 1", false, masked(0xc2, "x"), ErrReservedBits},
		{"reserved bit 2", false, masked(0xa2, "x"), ErrReservedBits},
		{"reserved bit 3", false, masked(0x92, "x"), ErrReservedBits},
		{"reserved bit of a control frame", false, masked(0xc9, "x"), ErrReservedBits},
		{"opcode 3", false, masked(0x83, "x"), ErrOpcode},
		{"opcode 7", false, masked(0x87, "x"), ErrOpcode},
		{"opcode 11", false, masked(0x8b, "x"), ErrOpcode},
		{"opcode 15", false, masked(0x8f, "x"), ErrOpcode},
		{"text", false, masked(0x81, "x"), ErrText},
		{"not masked", false, bare(0x82, "x"), ErrUnmasked},
		{"a ping that is not masked", false, bare(0x89, ""), ErrUnmasked},
		{"masked by a server", true, masked(0x82, "x"), ErrMasked},
		{"a ping that is masked by a server", true, masked(0x89, ""), ErrMasked},
		{"a long ping", false, masked(0x89, long), ErrControl},
		{"a long close frame", false, masked(0x88, "\x03\xe8"+long), ErrControl},
		{"a fragmented ping", false, masked(0x09, "x"), ErrControl},
		{"a fragmented close frame", false, masked(0x08, ""), ErrControl},
		{"two bytes for a length of one", true, []byte{0x82, 126, 0, 125}, ErrLength},
		{"eight bytes for a length of two", true, []byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, ErrLength},
		{"a negative length", true, []byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, ErrLength},
		{"a continuation of nothing", false, masked(0x80, "x"), ErrContinuation},
		{"a continuation of a whole message", false, append(masked(0x82, "x"), masked(0x80, "x")...), ErrContinuation},
		{"a message amid another", false, append(masked(0x02, "x"), masked(0x82, "x")...), ErrInterleaved},
		{"text amid a message", false, append(masked(0x02, "x"), masked(0x81, "x")...), ErrInterleaved},
		{"half a close code", false, masked(0x88, "\x03"), ErrCloseCode},
		{"close code 0", false, masked(0x88, "\x00\x00"), ErrCloseCode},
		{"close code 999", false, masked(0x88, "\x03\xe7"), ErrCloseCode},
		{"close code 1004", false, masked(0x88, "\x03\xec"), ErrCloseCode},
		{"close code 1005", false, masked(0x88, "\x03\xed"), ErrCloseCode},
		{"close code 1006", false, masked(0x88, "\x03\xee"), ErrCloseCode},
		{"close code 1015", false, masked(0x88, "\x03\xf7"), ErrCloseCode},
		{"close code 2999", false, masked(0x88, "\x0b\xb7"), ErrCloseCode},
		{"close code 5000", false, masked(0x88, "\x13\x88"), ErrCloseCode},
		{"a reason that is not UTF-8", false, masked(0x88, "\x03\xe8\xff"), ErrCloseReason},
		{"a message beyond the limit", true, bare(0x82, string(make([]byte, 1001))), ErrTooBig},
		{"fragments beyond the limit", true, append(bare(0x02, string(make([]byte, 999))), bare(0x80, "xy")...), ErrTooBig},
		{"three fragments beyond the limit", true, slices.Concat(
			bare(0x02, string(make([]byte, 500))), bare(0x00, string(make([]byte, 400))), bare(0x80, string(make([]byte, 101))),
		), ErrTooBig},
		{"64 GiB", true, []byte{0x82, 127, 0, 0, 0, 0x10, 0, 0, 0, 0}, ErrTooBig},
		{"64 GiB in a fragment", true, append(bare(0x02, "x"), 0x80, 127, 0, 0, 0, 0x10, 0, 0, 0, 0), ErrTooBig},
		{"the largest length", true, []byte{0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ErrTooBig},
		{"nothing", false, nil, io.ErrUnexpectedEOF},
		{"half a header", false, []byte{0x82}, io.ErrUnexpectedEOF},
		{"half a message", false, masked(0x82, "xyz")[:8], io.ErrUnexpectedEOF},
		{"half a ping", false, masked(0x89, "xyz")[:8], io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, in := range []io.Reader{bytes.NewReader(c.in), iotest.OneByteReader(bytes.NewReader(c.in))} {
				conn := newConn(script{Reader: in}, c.client)
				conn.SetLimit(1000)
				err := untilError(conn)
				require.Equal(t, c.want, err)
				if _, bad := c.want.(*ProtocolError); bad {
					_, again := conn.Next()
					assert.Equal(t, c.want, again, "it stays")
					n, again := conn.Read(make([]byte, 1))
					assert.Zero(t, n)
					assert.Error(t, again)
				}
			}
		})
	}
}

// untilError reads all messages.
func untilError(c *Conn) error {
	for {
		if _, err := c.Next(); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, c); err != nil {
			return err
		}
	}
}

func TestNext_gives_every_close_code_that_may_be(t *testing.T) {
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999} {
		_, err := serverOf(masked(0x88, string([]byte{byte(code >> 8), byte(code)})+"why")).Next()
		assert.Equal(t, &CloseError{code, "why"}, err)
	}
}

func TestNext_joins_fragments_with_control_frames_between(t *testing.T) {
	for _, slow := range []bool{false, true} {
		pings := 0
		c := serverOf(
			masked(0x02, ""), masked(0x89, "p"), masked(0x00, "ab"), masked(0x8a, ""), masked(0x00, ""),
			masked(0x89, ""), masked(0x00, "cde"), masked(0x80, ""),
			masked(0x82, "next"),
		)
		if slow {
			c.nc = script{Reader: iotest.OneByteReader(c.nc)}
		}
		c.Handle(func([]byte) { pings++ }, nil)
		n, err := c.Next()
		require.NoError(t, err)
		assert.Equal(t, -1, n, "its length is not known")
		b, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.Equal(t, "abcde", string(b))
		assert.Equal(t, 2, pings)
		assert.Equal(t, "next", string(message(t, c)))
	}
}

func TestNext_passes_over_the_rest_of_fragments(t *testing.T) {
	c := serverOf(masked(0x02, "ab"), masked(0x00, "cd"), masked(0x80, "ef"), masked(0x82, "next"))
	_, err := c.Next()
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 3))
	require.NoError(t, err)
	assert.Equal(t, "next", string(message(t, c)))
}

// A header of 14 bytes once ended a process (notes on gobwas/ws, issue 223).
func TestNext_allocates_nothing_for_a_header_that_announces_64_GiB(t *testing.T) {
	hostile := binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, 64<<30)
	hostile = append(hostile, 1, 2, 3, 4)
	require.Len(t, hostile, 14)
	c := serverOf(hostile)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.Next()
	runtime.ReadMemStats(&after)
	assert.Equal(t, ErrTooBig, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10))
}

func TestMask_is_the_byte_wise_one_at_every_length_and_offset(t *testing.T) {
	const key = 0xd4c3b2a1
	src := octets(300)
	want := make([]byte, len(src))
	for i := range src {
		want[i] = src[i] ^ byte(uint32(key)>>(8*(i%4)))
	}
	for n := range 100 {
		for off := range 9 {
			dst := make([]byte, n+off)
			rest := mask(dst[:off], src[:off], key)
			mask(dst[off:], src[off:n+off], rest)
			require.Equal(t, want[:n+off], dst, "%d and %d bytes", off, n)
		}
	}
	dst := bytes.Clone(src)
	assert.Zero(t, mask(dst, src, 0))
	assert.Equal(t, src, dst)
}

func FuzzNext(f *testing.F) {
	f.Add(masked(0x82, "hello"), false)
	f.Add(slices.Concat(masked(0x02, "a"), masked(0x89, "p"), masked(0x80, "b"), masked(0x88, "\x03\xe8bye")), false)
	f.Add(slices.Concat(bare(0x82, string(make([]byte, 200))), bare(0x82, "")), true)
	f.Add([]byte{0x82, 0xff, 0, 0, 0, 0x10, 0, 0, 0, 0, 1, 2, 3, 4}, false)
	f.Fuzz(func(t *testing.T, in []byte, client bool) {
		const limit = 1 << 16
		// However the bytes come, the messages are the same.
		read := func(r io.Reader) (messages []string, err error) {
			c := newConn(script{Reader: r}, client)
			c.SetLimit(limit)
			for {
				n, err := c.Next()
				if err != nil {
					return messages, err
				}
				b, err := io.ReadAll(c)
				if len(b) > limit {
					t.Fatalf("a message of %d bytes", len(b))
				}
				if err != nil {
					return messages, err
				}
				if n >= 0 && n != len(b) {
					t.Fatalf("a message of %d bytes: %d were announced", len(b), n)
				}
				messages = append(messages, string(b))
			}
		}
		whole, err := read(bytes.NewReader(in))
		bits, again := read(iotest.OneByteReader(bytes.NewReader(in)))
		require.Equal(t, whole, bits)
		require.Equal(t, err, again)
	})
}
