package ratmom

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// MessageType is the type of a WebSocket message.
type MessageType int

// The types of messages.
const (
	TextMessage   MessageType = cgo.FrameText   // valid UTF-8
	BinaryMessage MessageType = cgo.FrameBinary // any bytes
)

// CloseError is the end of a WebSocket that the other side asked for (RFC 6455,
// section 7.4).
type CloseError struct {
	Code   int    // 1005: it gave none
	Reason string // its words, which may be empty
}

// Error gives code and reason.
func (e *CloseError) Error() string {
	return fmt.Sprintf("the WebSocket was closed: %d %q", e.Code, e.Reason)
}

// Codes of CloseError and Close.
const (
	CloseNormal      = 1000 // all has been said
	CloseGoingAway   = 1001 // the server ends, or the user leaves
	CloseProtocol    = 1002 // the other side broke the protocol
	CloseNoStatus    = 1005 // none was given; it cannot be sent
	CloseInvalidText = 1007 // a text message was not UTF-8
	CloseTooBig      = 1009 // a message was over the limit
)

const (
	defaultMessageLimit = 16 << 20
	maxControl          = 125             // bytes of a control frame (RFC 6455, section 5.5)
	maxFrame            = 1<<32 - 1       // bytes of a message that is sent
	closeTime           = 5 * time.Second // for the other side's part of closing
)

// WebSocket is a connection of messages. One goroutine may read while others write.
// Pings of the other side are answered by themselves, whether or not anybody reads.
type WebSocket struct {
	t      *tunnel
	header http.Header
	limit  atomic.Int64

	readMu  sync.Mutex
	in      []byte // read, and not used yet
	message []byte // of the message so far
	control []byte // of the control frame so far
	kind    MessageType
	readErr error

	writeMu   sync.Mutex
	writeErr  error
	closeSent bool

	pingMu sync.Mutex
	pings  map[string]chan struct{}
	over   chan struct{} // closed with the WebSocket
	unread chan struct{} // closed when nothing more can be read
	once   sync.Once
}

// Header is that of the server's answer.
func (w *WebSocket) Header() http.Header { return w.header }

// Subprotocol is what the server chose of Sec-WebSocket-Protocol; "" if nothing.
func (w *WebSocket) Subprotocol() string { return w.header.Get("Sec-Websocket-Protocol") }

// LocalAddr is our address of the connection.
func (w *WebSocket) LocalAddr() net.Addr { return w.t.LocalAddr() }

// RemoteAddr is the address of the server, or of the proxy.
func (w *WebSocket) RemoteAddr() net.Addr { return w.t.RemoteAddr() }

// SetReadDeadline limits Read. A Read that fails so can be repeated: nothing is lost.
func (w *WebSocket) SetReadDeadline(t time.Time) error { return w.t.SetReadDeadline(t) }

// SetWriteDeadline limits Write and Ping. What fails so may have sent a part of its
// message: nothing can be written afterwards.
func (w *WebSocket) SetWriteDeadline(t time.Time) error { return w.t.SetWriteDeadline(t) }

// SetReadLimit limits the size of a message that is read, in bytes; 16 MiB by default.
func (w *WebSocket) SetReadLimit(n int64) { w.limit.Store(n) }

// Read returns the next message. The end is a *CloseError when the other side closed;
// io.ErrUnexpectedEOF when the connection ended without that; ErrBodyTooLarge for a
// message over the limit and ErrProtocol for text that is not UTF-8, of which the other
// side is told. After any of these there is only [WebSocket.CloseNow] left to do.
func (w *WebSocket) Read() (MessageType, []byte, error) {
	w.readMu.Lock()
	defer w.readMu.Unlock()
	for w.readErr == nil {
		kind, p, done, err := w.step()
		if errors.Is(err, errAgain) {
			return 0, nil, err.(*retryable).error
		}
		if err != nil {
			w.readErr = err
			close(w.unread)
			break
		}
		if done {
			return kind, p, nil
		}
	}
	return 0, nil, w.readErr
}

var errAgain = errors.New("again")

// retryable is a failure after which reading can go on.
type retryable struct{ error }

func (r *retryable) Is(target error) bool { return target == errAgain }

// fill has at least n bytes in.
func (w *WebSocket) fill(n int) error {
	for len(w.in) < n {
		if cap(w.in)-len(w.in) < n-len(w.in) || cap(w.in) == len(w.in) {
			w.in = append(make([]byte, 0, max(n, 16<<10)), w.in...)
		}
		m, err := w.t.Read(w.in[len(w.in):cap(w.in)])
		w.in = w.in[:len(w.in)+m]
		if m > 0 || err == nil {
			continue
		}
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return &retryable{err}
		}
		return err
	}
	return nil
}

// step takes one piece of a frame.
func (w *WebSocket) step() (kind MessageType, message []byte, done bool, err error) {
	if err := w.fill(cgo.FrameHead); err != nil {
		return 0, nil, false, err
	}
	flags := binary.NativeEndian.Uint32(w.in)
	size := int(binary.NativeEndian.Uint32(w.in[4:]))
	more := binary.NativeEndian.Uint32(w.in[8:])
	if err := w.fill(cgo.FrameHead + size); err != nil {
		return 0, nil, false, err
	}
	p := w.in[cgo.FrameHead : cgo.FrameHead+size]
	defer func() { w.in = w.in[cgo.FrameHead+size:] }()
	switch {
	case flags&cgo.FramePing != 0:
		return 0, nil, false, nil
	case flags&(cgo.FramePong|cgo.FrameClose) != 0:
		w.control = append(w.control, p...) // it may come in pieces; libcurl has it end at 125 bytes
		if more > 0 {
			return 0, nil, false, nil
		}
		whole := w.control
		w.control = nil
		if flags&cgo.FrameClose != 0 {
			return 0, nil, false, w.closed(whole)
		}
		w.pong(string(whole))
		return 0, nil, false, nil
	}
	if int64(len(w.message))+int64(size)+int64(more) > w.limit.Load() {
		_ = w.sendClose(CloseTooBig, "the message is too big")
		return 0, nil, false, failure.Newf(failure.BodyTooLarge, "a message of more than %d bytes", w.limit.Load())
	}
	w.message = append(w.message, p...)
	w.kind = MessageType(flags & (cgo.FrameText | cgo.FrameBinary))
	if more > 0 || flags&cgo.FrameMore != 0 {
		return 0, nil, false, nil
	}
	message, w.message = w.message, nil
	if message == nil {
		message = []byte{}
	}
	if w.kind == TextMessage && !utf8.Valid(message) {
		_ = w.sendClose(CloseInvalidText, "the text is not UTF-8")
		return 0, nil, false, failure.New(failure.Protocol, "a text message is not UTF-8")
	}
	return w.kind, message, true, nil
}

// closed answers the other side's close frame.
func (w *WebSocket) closed(p []byte) error {
	e := &CloseError{Code: CloseNoStatus}
	switch {
	case len(p) == 1 || len(p) > 2 && !utf8.Valid(p[2:]):
		_ = w.sendClose(CloseProtocol, "")
		return failure.New(failure.Protocol, "a close frame is malformed")
	case len(p) >= 2:
		e.Code, e.Reason = int(binary.BigEndian.Uint16(p)), string(p[2:])
	}
	_ = w.sendClose(e.Code, "")
	return e
}

// send writes one frame.
func (w *WebSocket) send(flags uint32, p []byte) error {
	w.writeMu.Lock()
	defer w.writeMu.Unlock()
	if w.closeSent {
		return &net.OpError{Op: "write", Net: "websocket", Addr: w.RemoteAddr(), Err: net.ErrClosed}
	}
	return w.sendLocked(flags, p)
}

func (w *WebSocket) sendLocked(flags uint32, p []byte) error {
	if w.writeErr != nil {
		return w.writeErr
	}
	b := make([]byte, cgo.FrameHead, cgo.FrameHead+min(len(p), 64<<10))
	binary.NativeEndian.PutUint32(b, flags)
	binary.NativeEndian.PutUint32(b[4:], uint32(len(p)))
	if len(p) <= 64<<10 {
		b, p = append(b, p...), nil
	}
	_, err := w.t.Write(b)
	if err == nil && len(p) > 0 {
		_, err = w.t.Write(p)
	}
	w.writeErr = err
	return err
}

// Write sends a message, as one frame.
func (w *WebSocket) Write(kind MessageType, p []byte) error {
	switch {
	case kind != TextMessage && kind != BinaryMessage:
		return failure.Newf(failure.InvalidRequest, "message type %d is neither text nor binary", kind)
	case kind == TextMessage && !utf8.Valid(p):
		return failure.New(failure.InvalidRequest, "the text of the message is not UTF-8")
	case uint64(len(p)) > maxFrame:
		return failure.Newf(failure.InvalidRequest, "the message has more than %d bytes", uint32(maxFrame))
	}
	return w.send(uint32(kind), p)
}

// Ping sends a ping and waits for its answer, which a Read that runs at the same time
// must find.
func (w *WebSocket) Ping(ctx context.Context) error {
	nonce := make([]byte, 8)
	_, _ = rand.Read(nonce)
	answered := make(chan struct{})
	w.pingMu.Lock()
	if w.pings == nil {
		w.pings = map[string]chan struct{}{}
	}
	w.pings[string(nonce)] = answered
	w.pingMu.Unlock()
	defer func() {
		w.pingMu.Lock()
		delete(w.pings, string(nonce))
		w.pingMu.Unlock()
	}()
	if err := w.send(cgo.FramePing, nonce); err != nil {
		return err
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.unread:
		return fmt.Errorf("the answer to the ping did not come: %w", io.ErrUnexpectedEOF)
	case <-w.over:
		return net.ErrClosed
	}
}

func (w *WebSocket) pong(payload string) {
	w.pingMu.Lock()
	defer w.pingMu.Unlock()
	if c, ok := w.pings[payload]; ok {
		delete(w.pings, payload)
		close(c)
	}
}

// sendClose sends a close frame, once.
func (w *WebSocket) sendClose(code int, reason string) error {
	_ = w.t.SetWriteDeadline(time.Now().Add(closeTime)) // a Write that hangs ends, too
	w.writeMu.Lock()
	defer w.writeMu.Unlock()
	if w.closeSent {
		return nil
	}
	w.closeSent = true
	var p []byte
	if code != CloseNoStatus {
		p = append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	}
	return w.sendLocked(cgo.FrameClose, p)
}

// Close ends the WebSocket: it sends a close frame with code and reason, unless one was
// sent, waits up to 5 s for the other side's, dropping messages, and closes the
// connection. The error is why the close frame could not be sent. Code must be one that
// may be sent, such as CloseNormal; reason has up to 123 bytes of UTF-8.
func (w *WebSocket) Close(code int, reason string) error {
	if code < 1000 || code > 4999 || code >= 1004 && code <= 1006 || code >= 1015 && code < 3000 {
		return failure.Newf(failure.InvalidRequest, "%d is no code that can be sent", code)
	}
	if len(reason) > maxControl-2 || !utf8.ValidString(reason) {
		return failure.New(failure.InvalidRequest, "the reason has more than 123 bytes, or is not UTF-8")
	}
	err := w.sendClose(code, reason)
	if err == nil {
		_ = w.t.SetReadDeadline(time.Now().Add(closeTime))
		w.readMu.Lock()
		for w.readErr == nil {
			w.message = nil
			if _, _, _, e := w.step(); e != nil {
				w.readErr = net.ErrClosed
			}
		}
		w.readMu.Unlock()
	}
	w.CloseNow()
	return err
}

// CloseNow closes the connection without saying so.
func (w *WebSocket) CloseNow() {
	w.once.Do(func() {
		close(w.over)
		_ = w.t.Close()
	})
}
