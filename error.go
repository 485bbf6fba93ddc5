package ratmom

import "github.com/ratmom/ratmom/internal/failure"

// Error is what every failed request returns, from the call or from reading the
// body. %+v adds the addresses, libcurl's code and the wire log if there is one.
type Error = failure.Error

// Kind says what went wrong, in terms that a program can act on. A Kind is an
// error: errors.Is(err, ratmom.ErrTimeout).
type Kind = failure.Kind

// The kinds, for errors.Is.
const (
	ErrUnknown                 = failure.Unknown
	ErrTimeout                 = failure.Timeout
	ErrCanceled                = failure.Canceled
	ErrAgentStopped            = failure.AgentStopped
	ErrClosed                  = failure.Closed
	ErrInvalidRequest          = failure.InvalidRequest
	ErrInvalidOption           = failure.InvalidOption
	ErrUnsupported             = failure.Unsupported
	ErrNameResolution          = failure.NameResolution
	ErrConnect                 = failure.Connect
	ErrProxy                   = failure.Proxy
	ErrTLS                     = failure.TLS
	ErrCertificateVerification = failure.CertificateVerification
	ErrClientCertificate       = failure.ClientCertificate
	ErrProtocol                = failure.Protocol
	ErrHTTP2                   = failure.HTTP2
	ErrHTTP3                   = failure.HTTP3
	ErrHeadTooLarge            = failure.HeadTooLarge
	ErrBodyTooLarge            = failure.BodyTooLarge
	ErrTruncated               = failure.Truncated
	ErrContentEncoding         = failure.ContentEncoding
	ErrTooManyRedirects        = failure.TooManyRedirects
	ErrBodyNotRewindable       = failure.BodyNotRewindable
	ErrRequestBody             = failure.RequestBody
	ErrAuth                    = failure.Auth
	ErrSend                    = failure.Send
	ErrReceive                 = failure.Receive
	ErrConnectionClosed        = failure.ConnectionClosed
	ErrLocal                   = failure.Local
	ErrOutOfMemory             = failure.OutOfMemory
	ErrInternal                = failure.Internal
)
