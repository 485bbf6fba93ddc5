package ws

import (
	"errors"
	"fmt"
	"net/http"
)

// Codes of close frames (RFC 6455, section 7.4.1).
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseProtocol    = 1002
	CloseUnsupported = 1003
	CloseNoStatus    = 1005 // none was given; it cannot be sent
	CloseInvalidText = 1007
	ClosePolicy      = 1008
	CloseTooBig      = 1009
	CloseInternal    = 1011
)

// ProtocolError is a frame that must not be: the connection has to be closed with Code.
type ProtocolError struct {
	Code   int
	reason string
}

func (e *ProtocolError) Error() string { return "websocket: " + e.reason }

// What a frame can have wrong.
var (
	ErrReservedBits = &ProtocolError{CloseProtocol, "a frame with reserved bits"}
	ErrOpcode       = &ProtocolError{CloseProtocol, "a frame with a reserved opcode"}
	ErrText         = &ProtocolError{CloseUnsupported, "a text message"}
	ErrUnmasked     = &ProtocolError{CloseProtocol, "an unmasked frame of a client"}
	ErrMasked       = &ProtocolError{CloseProtocol, "a masked frame of a server"}
	ErrLength       = &ProtocolError{CloseProtocol, "a length that is not encoded in the shortest way"}
	ErrControl      = &ProtocolError{CloseProtocol, "a control frame that is fragmented or beyond 125 bytes"}
	ErrContinuation = &ProtocolError{CloseProtocol, "a continuation of no message"}
	ErrInterleaved  = &ProtocolError{CloseProtocol, "a new message amid another"}
	ErrCloseCode    = &ProtocolError{CloseProtocol, "a close frame with an invalid code"}
	ErrCloseReason  = &ProtocolError{CloseInvalidText, "a close frame whose reason is not UTF-8"}
	ErrTooBig       = &ProtocolError{CloseTooBig, "a message beyond the limit"}
)

// ErrCloseSent is a write after WriteClose.
var ErrCloseSent = errors.New("websocket: a close frame was sent")

// CloseError is the other side's close frame.
type CloseError struct {
	Code   int // CloseNoStatus: it gave none
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket: closed by the other side: %d %q", e.Code, e.Reason)
}

// HandshakeError is an opening handshake that failed by what the other side said.
type HandshakeError struct {
	// Status is that of the HTTP response: what the server answered to us, or what we answered.
	Status int
	Reason string
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("websocket: handshake: %d %s: %s", e.Status, http.StatusText(e.Status), e.Reason)
}
