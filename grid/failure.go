package grid

import (
	"context"
	"errors"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

// failureOf is how the error of a handler travels. Errors panic when they are asked, too: a nil pointer is
// enough for that.
func failureOf(err error) (code Code, f frame.Failure) {
	defer func() {
		if recover() != nil {
			code, f = Internal, frame.Failure{Message: "the error of the handler panicked"}
		}
	}()
	var e *Error
	switch {
	case errors.As(err, &e):
		f = frame.Failure{App: e.App, Message: e.Message, Details: e.Details}
		if app := codeOf(err); app != 0 {
			return Application, frame.Failure{App: app, Message: err.Error(), Details: e.Details}
		}
		return e.Code, f
	case errors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded, frame.Failure{Message: err.Error()}
	case errors.Is(err, context.Canceled):
		return Canceled, frame.Failure{Message: err.Error()}
	}
	return Application, frame.Failure{App: codeOf(err), Message: err.Error()}
}

// received is the error that a frame with the flag Err says.
func (s *session) received(code uint16, payload []byte) (*Error, error) {
	var f frame.Failure
	if err := f.Parse(payload); err != nil {
		return nil, protocolError("a malformed error")
	}
	e := &Error{Code: Code(code), App: f.App, Message: f.Message, Details: f.Details, Remote: true, Peer: s.c.name}
	if f.Never {
		e.Sent = NotSent
	}
	return e, nil
}

// ended is the error of a request whose context ended.
func (c *Connection) ended(ctx context.Context, sent Sent) *Error {
	e := &Error{Code: Canceled, Peer: c.name, Sent: sent, cause: context.Cause(ctx)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Code = DeadlineExceeded
	}
	if e.cause != nil && e.cause != ctx.Err() {
		e.Message = e.cause.Error()
	}
	return e
}

// unknownPeer is the error of a request on a connection that is nil, as Manager.Connection gives it for a
// peer that is not known.
func unknownPeer() *Error {
	return &Error{Code: Disconnected, Message: "a peer that is not known", Sent: NotSent}
}

// fail is an error of this side.
func (c *Connection) fail(code Code, sent Sent, text string) *Error {
	return &Error{Code: code, Message: text, Peer: c.name, Sent: sent}
}

// protocolError is what a peer must not do. It ends the session.
type protocolError string

func (e protocolError) Error() string { return "protocol error: " + string(e) }
