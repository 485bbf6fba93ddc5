package failure

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
)

// Kind says what went wrong, in terms a program can act on. A Kind is an error
// itself, so that errors.Is(err, failure.Timeout) asks for it.
type Kind uint8

const (
	// Unknown is a failure that fits no other kind; Error.Code has libcurl's
	// number if the failure came from there.
	Unknown Kind = iota

	// Timeout is any of the time limits: total, connect, response head, idle
	// read, low speed, or the deadline of the request's context.
	Timeout
	// Canceled is the end of a request that the caller gave up.
	Canceled
	// AgentStopped is the end of a request whose agent has ended.
	AgentStopped
	// Closed is the use of a client after its Close.
	Closed

	// InvalidRequest is a request that must not be sent: its method, URL,
	// header or trailer is malformed.
	InvalidRequest
	// InvalidOption is an option whose value is out of range.
	InvalidOption
	// Unsupported is what this libcurl was built without, or is too old for.
	Unsupported

	// NameResolution is a host, or a proxy's host, without an address.
	NameResolution
	// Connect is a connection that could not be made; nothing was sent.
	Connect
	// Proxy is a proxy that refused or broke the way to the server.
	Proxy
	// TLS is a handshake that failed.
	TLS
	// CertificateVerification is a server's certificate that is not trusted,
	// not valid now, revoked, or for another name.
	CertificateVerification
	// ClientCertificate is a client certificate or key that is missing, cannot
	// be used, or that the server did not accept.
	ClientCertificate

	// Protocol is a response that is not HTTP.
	Protocol
	// HTTP2 is an error of an HTTP/2 connection or stream.
	HTTP2
	// HTTP3 is an error of an HTTP/3 connection or stream.
	HTTP3
	// HeadTooLarge is a response head over its limit.
	HeadTooLarge
	// BodyTooLarge is a response body over its limit.
	BodyTooLarge
	// Truncated is a response body that ended before its announced end.
	Truncated
	// ContentEncoding is a response body that is not what its Content-Encoding
	// says, or whose encoding is not known.
	ContentEncoding
	// TooManyRedirects is a chain of redirects over its limit.
	TooManyRedirects

	// BodyNotRewindable is a request body that had to be sent again and has no
	// GetBody.
	BodyNotRewindable
	// RequestBody is a request body whose reader failed, or whose length is not
	// the one announced.
	RequestBody
	// Auth is an authentication that could not be carried out or was refused.
	Auth

	// Send is a connection that broke while the request was sent.
	Send
	// Receive is a connection that broke while the response was received.
	Receive
	// ConnectionClosed is a connection that the server closed before it
	// answered.
	ConnectionClosed

	// Local is something of this machine that cannot be used: an interface, an
	// address or port to bind, a file.
	Local
	// OutOfMemory is libcurl without memory.
	OutOfMemory
	// Internal is a fault of this module or of libcurl.
	Internal

	kinds // their number
)

var kindText = [kinds]string{
	Unknown:                 "unknown error",
	Timeout:                 "timeout",
	Canceled:                "canceled",
	AgentStopped:            "the client's agent has stopped",
	Closed:                  "the client is closed",
	InvalidRequest:          "invalid request",
	InvalidOption:           "invalid option",
	Unsupported:             "not supported by this libcurl",
	NameResolution:          "name resolution failed",
	Connect:                 "connection failed",
	Proxy:                   "proxy failed",
	TLS:                     "TLS failed",
	CertificateVerification: "server certificate not accepted",
	ClientCertificate:       "client certificate not usable",
	Protocol:                "malformed response",
	HTTP2:                   "HTTP/2 error",
	HTTP3:                   "HTTP/3 error",
	HeadTooLarge:            "response head too large",
	BodyTooLarge:            "response body too large",
	Truncated:               "response body truncated",
	ContentEncoding:         "bad content encoding",
	TooManyRedirects:        "too many redirects",
	BodyNotRewindable:       "request body cannot be sent again",
	RequestBody:             "request body failed",
	Auth:                    "authentication failed",
	Send:                    "sending failed",
	Receive:                 "receiving failed",
	ConnectionClosed:        "connection closed before a response",
	Local:                   "local resource not usable",
	OutOfMemory:             "out of memory",
	Internal:                "internal error",
}

// Error returns the kind's text, such as "timeout".
func (k Kind) Error() string {
	if k < kinds {
		return kindText[k]
	}
	return kindText[Unknown]
}

// String returns the same text as Error.
func (k Kind) String() string { return k.Error() }

// Is reports whether target is the standard library's error of the same
// meaning, so that code written for net/http understands ours:
// context.DeadlineExceeded and os.ErrDeadlineExceeded for Timeout,
// context.Canceled for Canceled, io.ErrUnexpectedEOF for Truncated,
// errors.ErrUnsupported for Unsupported, net.ErrClosed for Closed.
func (k Kind) Is(target error) bool {
	switch k {
	case Timeout:
		return target == context.DeadlineExceeded || target == os.ErrDeadlineExceeded
	case Canceled:
		return target == context.Canceled
	case Truncated:
		return target == io.ErrUnexpectedEOF
	case Unsupported:
		return target == errors.ErrUnsupported
	case Closed:
		return target == net.ErrClosed
	}
	return false
}

// Timeout reports whether k is Timeout; it is part of net.Error.
func (k Kind) Timeout() bool { return k == Timeout }
