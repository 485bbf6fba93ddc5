package grid

import (
	"context"
	"errors"
	"fmt"
)

// Code says what kind of failure an [Error] is. Codes travel over the wire and
// keep their numbers.
type Code uint16

// The codes.
const (
	Canceled          Code = 1  // the caller gave up
	DeadlineExceeded  Code = 2  // the caller's deadline or the handler's timeout passed
	Disconnected      Code = 3  // there is no connection, or it was lost
	Draining          Code = 4  // the server is shutting down
	UnknownHandler    Code = 5  // the server has no such handler
	Overloaded        Code = 6  // the server has too much to do already
	ResourceExhausted Code = 7  // a message found no memory
	TooLarge          Code = 8  // a message is longer than allowed
	InvalidMessage    Code = 9  // a message that cannot be understood, or is not expected
	Internal          Code = 10 // the handler panicked, or the grid is at fault
	Application       Code = 11 // the handler returned an error
)

var codeNames = [...]string{
	"ok", "canceled", "deadline exceeded", "disconnected", "draining", "unknown handler", "overloaded",
	"resource exhausted", "too large", "invalid message", "internal", "application",
}

func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// Sent says whether a request can have been executed.
type Sent uint8

const (
	// MaybeExecuted: the request may have been executed, wholly or in part.
	MaybeExecuted Sent = iota
	// NotSent: the request was not executed and never will be.
	NotSent
)

func (s Sent) String() string {
	if s == NotSent {
		return "not sent"
	}
	return "maybe executed"
}

// Error is the error of a request. Errors of handlers keep their code, their
// words and their identity, if registered with [RegisterError], on the way to the caller.
type Error struct {
	Code    Code   // what kind of failure it is
	App     uint16 // of an Application error: the code given to RegisterError, or 0
	Message string // more words, none if the code says it all
	Details []byte // whatever the handler added
	Remote  bool   // the other side said so
	Peer    string // the other side
	Sent    Sent   // whether the request can have been executed

	cause error // of this process
}

func (e *Error) Error() string {
	text := "grid: "
	if e.Peer != "" {
		text += e.Peer + ": "
	}
	if e.Code == Application && e.Message != "" {
		return text + e.Message
	}
	text += e.Code.String()
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns the cause, if it is of this process.
func (e *Error) Unwrap() error { return e.cause }

// Is holds for an *Error of the same code that says nothing else, as the
// variables of this package are, for the registered error of the same App code, and for
// context.Canceled and context.DeadlineExceeded with the codes of the same name.
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == Canceled
	case context.DeadlineExceeded:
		return e.Code == DeadlineExceeded
	}
	if t, ok := target.(*Error); ok {
		return t != nil && t.Code == e.Code && t.App == e.App && t.Message == "" && t.Peer == ""
	}
	if e.Code == Application && e.App != 0 {
		registered := registeredError(e.App)
		return registered != nil && errors.Is(registered, target)
	}
	return false
}

// Timeout reports whether a deadline has passed.
func (e *Error) Timeout() bool { return e.Code == DeadlineExceeded }

// What errors.Is finds in every [*Error] of the same code, whichever side noticed. They are not returned
// themselves, and must not be changed. Application has none: its errors are those of [RegisterError].
var (
	ErrCanceled          = &Error{Code: Canceled}          // the caller gave up; context.Canceled is found too
	ErrDeadlineExceeded  = &Error{Code: DeadlineExceeded}  // the caller's deadline or the handler's Timeout passed; context.DeadlineExceeded is found too
	ErrDisconnected      = &Error{Code: Disconnected}      // there is no connection, or it was lost
	ErrDraining          = &Error{Code: Draining}          // one of the two servers is shutting down
	ErrUnknownHandler    = &Error{Code: UnknownHandler}    // the server has no such handler, or it is of the other kind
	ErrOverloaded        = &Error{Code: Overloaded}        // too many requests wait for the handler
	ErrResourceExhausted = &Error{Code: ResourceExhausted} // there was no memory for a message, see Limits.Large
	ErrTooLarge          = &Error{Code: TooLarge}          // a message is longer than Limits.Message of its receiver
	ErrInvalidMessage    = &Error{Code: InvalidMessage}    // a message that cannot be read or written, or that must not be sent
	ErrInternal          = &Error{Code: Internal}          // the handler panicked, or its answer could not be written
)

// ErrHandlerExists is the error of registering a second handler for an id.
var ErrHandlerExists = errors.New("grid: a handler of this id is already registered")
