package resolve

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"time"
)

// A Kind says why a name has no answer. It is an error itself, so that
// errors.Is(err, resolve.NotExist) asks for it.
type Kind uint8

const (
	// Unknown is a failure that fits no other kind.
	Unknown Kind = iota
	// NotExist is a name that does not exist: NXDOMAIN.
	NotExist
	// NoData is a name that exists and has no record of the type asked for.
	NoData
	// ServerFailure is a server that could not find out: SERVFAIL, or a reply
	// that helps no further.
	ServerFailure
	// Timeout is no reply in time, from no server.
	Timeout
	// Refused is a server that does not answer us: REFUSED, or nobody there.
	Refused
	// Malformed is a reply that is not one, or goes in circles.
	Malformed
	// InvalidName is a name that cannot be asked for.
	InvalidName
	// Delegation is a host whose delegation to another could not be fetched.
	Delegation
)

var kindTexts = [...]string{
	Unknown: "resolution failed", NotExist: "no such name", NoData: "no such record", ServerFailure: "server failure",
	Timeout: "no reply in time", Refused: "refused", Malformed: "malformed reply", InvalidName: "invalid name",
	Delegation: "delegation not available",
}

// Error is what the kind is called.
func (k Kind) Error() string {
	if int(k) < len(kindTexts) {
		return kindTexts[k]
	}
	return kindTexts[Unknown]
}

// Error is why a name has no answer.
type Error struct {
	Kind Kind
	// Name is the name that was asked for; where a record named another, that one.
	Name string
	// Type is the type of the records asked for: "A", "SRV"; empty if there were
	// several or none.
	Type string
	// Server is the server whose answer this is, or that was asked last; empty for
	// none.
	Server string
	// TTL is how long the answer may be kept, by the SOA record of a zone that does
	// not have the name or record (RFC 2308); 0 if nobody said.
	TTL time.Duration
	// Err is the cause; it may be nil.
	Err error
}

var _ net.Error = (*Error)(nil)

// Error is one line: what was asked, of whom, and what came of it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("resolve ")
	b.WriteString(quoted(e.Name))
	if e.Type != "" {
		b.WriteString(" " + e.Type)
	}
	if e.Server != "" {
		b.WriteString(" by " + e.Server)
	}
	b.WriteString(": " + e.Kind.Error())
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is finds the kind, and context.DeadlineExceeded for a Timeout.
func (e *Error) Is(target error) bool {
	if k, ok := target.(Kind); ok {
		return e.Kind == k
	}
	return e.Kind == Timeout && (target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded)
}

// As finds a *net.DNSError that says the same, as far as one can; none for a failure
// of an unknown kind, or a call that was given up.
func (e *Error) As(target any) bool {
	dns, ok := target.(**net.DNSError)
	if !ok || e.Kind == Unknown {
		return false
	}
	*dns = &net.DNSError{
		Err: e.Kind.Error(), Name: e.Name, Server: e.Server,
		IsTimeout: e.Timeout(), IsTemporary: e.Temporary(), IsNotFound: e.Kind == NotExist || e.Kind == NoData,
	}
	return true
}

// Timeout is true for the kind [Timeout].
func (e *Error) Timeout() bool { return e.Kind == Timeout }

// Temporary is false for what another attempt will not change soon.
func (e *Error) Temporary() bool {
	switch e.Kind {
	case NotExist, NoData, InvalidName:
		return false
	}
	return true
}

// KindOf is the kind of an error: that of the [*Error] in it, or what the errors of
// net and context say; Unknown for others.
func KindOf(err error) Kind {
	var own *Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &own):
		return own.Kind
	case errors.As(err, &dns):
		return kindOfNet(dns)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	}
	return Unknown
}

func kindOfNet(err *net.DNSError) Kind {
	switch {
	case err.IsNotFound:
		return NotExist
	case err.IsTimeout:
		return Timeout
	case err.IsTemporary:
		return ServerFailure
	}
	return Unknown
}

// settled is true for answers that say what is so: not failures to find out.
func settled(k Kind) bool { return k == NotExist || k == NoData || k == InvalidName }

// quoted keeps a name that is not one from writing lines of its own.
func quoted(name string) string {
	const most = 260
	if len(name) > most {
		name = name[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == 0x85 {
			return '?'
		}
		return r
	}, name)
}
