package ws

import (
	"io"
	"unicode/utf8"
)

// directMin is from how many bytes on a read goes straight into the caller's memory. Below it, reading
// into the buffer takes what follows along.
const directMin = 8 << 10

// Next waits for the next message, whose bytes Read gives, and passes over what was not read of the
// last one. n is the message's length, or -1 if it comes in fragments and only its end will tell.
//
// The error is a *CloseError for a close frame, a *ProtocolError for what must not be, and
// io.ErrUnexpectedEOF if the connection ended without a close frame; else it is the connection's.
func (c *Conn) Next() (n int, err error) {
	for c.open {
		if _, err := c.take(nil); err != nil && err != io.EOF {
			return 0, err
		}
	}
	h, err := c.dataFrame()
	if err != nil {
		return 0, err
	}
	switch h.op {
	case opContinuation:
		return 0, c.end(ErrContinuation)
	case opText:
		return 0, c.end(ErrText)
	}
	c.taken = 0
	if err := c.begin(h); err != nil {
		return 0, err
	}
	if !h.fin {
		return -1, nil
	}
	c.open = h.length > 0
	return int(h.length), nil
}

// Read reads of the message that Next has come to. After its last byte the error is io.EOF.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return c.take(p)
}

// Buffered is how many bytes are here that were not used yet: if it is zero, Next waits for the
// other side.
func (c *Conn) Buffered() int { return c.to - c.from }

// take gives bytes of the message to p, or passes over some if p is nil.
func (c *Conn) take(p []byte) (int, error) {
	for c.left == 0 {
		if !c.open || c.fin {
			c.open = false
			return 0, io.EOF
		}
		h, err := c.dataFrame()
		if err != nil {
			return 0, err
		}
		if h.op != opContinuation {
			return 0, c.end(ErrInterleaved)
		}
		if err := c.begin(h); err != nil {
			return 0, err
		}
	}
	want := int(c.left)
	if p != nil {
		want = min(want, len(p))
	}
	var n int
	if c.from == c.to && p != nil && want >= directMin {
		var err error
		if n, err = c.direct(p[:want]); n == 0 {
			return 0, c.broken(err)
		}
		if c.key != 0 {
			c.key = mask(p[:n], p[:n], c.key)
		}
	} else {
		if c.from == c.to {
			if err := c.fill(1); err != nil {
				return 0, err
			}
		}
		n = min(want, c.to-c.from)
		part := c.buf[c.from : c.from+n]
		if p == nil {
			p = part
		}
		c.key = mask(p[:n], part, c.key)
		c.from += n
	}
	c.left -= uint64(n)
	if c.left == 0 && c.fin {
		c.open = false
	}
	return n, nil
}

// direct reads straight into p. If that is the end of the frame, what follows it comes along into the buffer,
// which is empty, so that the head of the next frame needs no read of its own.
func (c *Conn) direct(p []byte) (n int, err error) {
	if c.scatter == nil || uint64(len(p)) < c.left {
		return c.nc.Read(p)
	}
	n, beyond, err := c.scatter.read(p, c.buf)
	c.from, c.to = 0, beyond
	return n, err
}

// begin makes h's frame the one that is read, if the message stays within the limit.
func (c *Conn) begin(h header) error {
	if c.taken > c.limit || h.length > c.limit-c.taken {
		return c.end(ErrTooBig)
	}
	c.taken += h.length
	c.left, c.fin, c.key, c.open = h.length, h.fin, h.key, true
	return nil
}

// dataFrame reads the head of the next frame that is not a control frame.
func (c *Conn) dataFrame() (header, error) {
	for {
		h, err := c.frame()
		if err != nil || !h.control() {
			return h, err
		}
		if err := c.control(h.op, int(h.length), h.key); err != nil {
			return h, err
		}
	}
}

// frame reads the head of a frame, and the whole of a control frame into the buffer.
func (c *Conn) frame() (header, error) {
	var h header
	if c.ended != nil {
		return h, c.ended
	}
	for {
		n, err := h.parse(c.buf[c.from:c.to], !c.client)
		if err != nil {
			return h, c.end(err)
		}
		all := n
		if c.Buffered() >= n && h.control() {
			all += int(h.length)
		}
		if c.Buffered() >= all {
			c.from += n
			return h, nil
		}
		if err := c.fill(all); err != nil {
			return h, err
		}
	}
}

// control handles a control frame whose payload is in the buffer.
func (c *Conn) control(op opcode, n int, key uint32) error {
	p := c.buf[c.from : c.from+n]
	mask(p, p, key)
	c.from += n
	switch op {
	case opPing:
		if c.ping != nil {
			c.ping(p)
		}
	case opPong:
		if c.pong != nil {
			c.pong(p)
		}
	case opClose:
		return c.end(closing(p))
	}
	return nil
}

// closing is what the payload of a close frame says.
func closing(p []byte) error {
	if len(p) == 0 {
		return &CloseError{Code: CloseNoStatus}
	}
	if len(p) == 1 {
		return ErrCloseCode
	}
	code := int(p[0])<<8 | int(p[1])
	if !validCode(code) {
		return ErrCloseCode
	}
	if !utf8.Valid(p[2:]) {
		return ErrCloseReason
	}
	return &CloseError{Code: code, Reason: string(p[2:])}
}

// validCode says whether a close frame may have it (RFC 6455, section 7.4, and the registry of IANA).
func validCode(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// fill reads until n bytes are in the buffer.
func (c *Conn) fill(n int) error {
	if c.from == c.to {
		c.from, c.to = 0, 0
	} else if len(c.buf)-c.from < n {
		c.to = copy(c.buf, c.buf[c.from:c.to])
		c.from = 0
	}
	for c.to-c.from < n {
		got, err := c.nc.Read(c.buf[c.to:])
		c.to += got
		if got == 0 {
			return c.broken(err)
		}
	}
	return nil
}

// broken is the error of a read that gave no byte.
func (c *Conn) broken(err error) error {
	switch err {
	case nil:
		return io.ErrNoProgress
	case io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *Conn) end(err error) error {
	c.ended, c.open, c.left = err, false, 0
	return err
}
