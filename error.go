package ratmom

import "github.com/ratmom/ratmom/internal/failure"

// Error is what every failed request returns, from the call or from reading the
// body. %+v adds the addresses, libcurl's code and the wire log if there is one.
//
// It is a struct with the fields Kind, Op (what was being done), URL (its userinfo
// masked), Code (the CURLcode; 0 if it did not come from libcurl), Detail (libcurl's
// words, or ours), Err (the cause; may be nil), ProxyStatus (of a CONNECT that was
// refused), LocalAddr and RemoteAddr (the zero value without a connection),
// PeerCertificates (with config.CertificateChain), Tries and Earlier (what was tried
// before) and Log (the conversation, secrets masked). It is a net.Error.
type Error = failure.Error

// Kind says what went wrong, in terms that a program can act on. A Kind is an
// error: errors.Is(err, ratmom.ErrTimeout).
type Kind = failure.Kind

// The kinds, for errors.Is. What is noted beside them of the standard library is found
// by errors.Is as well.
const (
	// ErrUnknown is a failure that fits no other kind; Error.Code has libcurl's number if
	// the failure came from there.
	ErrUnknown = failure.Unknown
	// ErrTimeout is any of the time limits: total, connect, response head, idle read, low
	// speed, or the deadline of the request's context. It is context.DeadlineExceeded and
	// os.ErrDeadlineExceeded, too.
	ErrTimeout = failure.Timeout
	// ErrCanceled is the end of a request that the caller gave up. It is context.Canceled,
	// too.
	ErrCanceled = failure.Canceled
	// ErrAgentStopped is the end of a request whose agent has ended.
	ErrAgentStopped = failure.AgentStopped
	// ErrClosed is the use of a client after its Close. It is net.ErrClosed, too.
	ErrClosed = failure.Closed
	// ErrInvalidRequest is a request that must not be sent: its method, URL, header or
	// trailer is malformed.
	ErrInvalidRequest = failure.InvalidRequest
	// ErrInvalidOption is an option whose value is out of range.
	ErrInvalidOption = failure.InvalidOption
	// ErrUnsupported is what this libcurl was built without, or is too old for. It is
	// errors.ErrUnsupported, too.
	ErrUnsupported = failure.Unsupported
	// ErrNameResolution is a host, or a proxy's host, without an address.
	ErrNameResolution = failure.NameResolution
	// ErrConnect is a connection that could not be made; nothing was sent.
	ErrConnect = failure.Connect
	// ErrProxy is a proxy that refused or broke the way to the server.
	ErrProxy = failure.Proxy
	// ErrTLS is a handshake that failed.
	ErrTLS = failure.TLS
	// ErrCertificateVerification is a server's certificate that is not trusted, not valid
	// now, revoked, or for another name.
	ErrCertificateVerification = failure.CertificateVerification
	// ErrClientCertificate is a client certificate or key that is missing, cannot be used,
	// or that the server did not accept.
	ErrClientCertificate = failure.ClientCertificate
	// ErrProtocol is a response that is not HTTP.
	ErrProtocol = failure.Protocol
	// ErrHTTP2 is an error of an HTTP/2 connection or stream.
	ErrHTTP2 = failure.HTTP2
	// ErrHTTP3 is an error of an HTTP/3 connection or stream.
	ErrHTTP3 = failure.HTTP3
	// ErrHeadTooLarge is a response head over its limit.
	ErrHeadTooLarge = failure.HeadTooLarge
	// ErrBodyTooLarge is a response body over its limit.
	ErrBodyTooLarge = failure.BodyTooLarge
	// ErrTruncated is a response body that ended before its announced end. It is
	// io.ErrUnexpectedEOF, too.
	ErrTruncated = failure.Truncated
	// ErrContentEncoding is a response body that is not what its Content-Encoding says, or
	// whose encoding is not known.
	ErrContentEncoding = failure.ContentEncoding
	// ErrTooManyRedirects is a chain of redirects over its limit.
	ErrTooManyRedirects = failure.TooManyRedirects
	// ErrBodyNotRewindable is a request body that had to be sent again and has no GetBody.
	ErrBodyNotRewindable = failure.BodyNotRewindable
	// ErrRequestBody is a request body whose reader failed, or whose length is not the one
	// announced.
	ErrRequestBody = failure.RequestBody
	// ErrAuth is an authentication that could not be carried out or was refused.
	ErrAuth = failure.Auth
	// ErrSend is a connection that broke while the request was sent.
	ErrSend = failure.Send
	// ErrReceive is a connection that broke while the response was received.
	ErrReceive = failure.Receive
	// ErrConnectionClosed is a connection that the server closed before it answered.
	ErrConnectionClosed = failure.ConnectionClosed
	// ErrLocal is something of this machine that cannot be used: an interface, an address
	// or port to bind, a file.
	ErrLocal = failure.Local
	// ErrOutOfMemory is libcurl without memory.
	ErrOutOfMemory = failure.OutOfMemory
	// ErrInternal is a fault of this module or of libcurl.
	ErrInternal = failure.Internal
)
