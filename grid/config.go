package grid

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"
)

// DefaultPath is where [Manager.Handler] is expected to be mounted.
const DefaultPath = "/ratmom/grid/v1"

// Peer is another server of the grid.
type Peer struct {
	Name string // how it is called in the grid
	Addr string // host and port to dial; empty: the name is the address
}

// Config says who a [Manager] is and whom it knows. Self is required.
type Config struct {
	// Self is the name of this server in the grid. The others must know it by
	// the same name.
	Self string

	// Peers are the other servers. One that bears the name Self is left out, so
	// that all servers can be given the same list. They are dialled at once: where their
	// requests may not meet a server without handlers (UnknownHandler), register those first
	// and then use [Manager.AddPeer].
	Peers []Peer

	// Path is the request target of the WebSocket; default [DefaultPath]. It begins with a
	// slash, has neither a query nor a fragment, and what a URL would escape is escaped in it.
	// Servers that do not speak the same protocol are kept apart by it.
	Path string

	// Dial makes the TCP connection to a peer; default: a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS, if set, has connections to peers use TLS. The certificate that a
	// peer shows must be valid for ServerName. If that is empty, it must be valid for the
	// peer's name with CertificateNames, and for the host of its address without.
	// Certificates for this side of the connection belong here too.
	TLS *tls.Config

	// Secret, if set, must be known to both sides: each proves it to the other
	// without showing it. It is to be long and random, 16 bytes at least: whoever is dialled
	// gets a proof at which weak ones can be tried.
	Secret []byte

	// CertificateNames requires that a peer's certificate bears its name in the
	// grid. It needs mutual TLS: a tls.Config with certificates here, and one
	// that verifies client certificates at the HTTP server.
	CertificateNames bool

	// Logger gets what happens to connections, and panics of handlers; default:
	// nothing is logged. It is told in place, so that its lines are in order and
	// none is lost when the program ends; one that waits holds up the connection
	// that it is told of. Give what can wait a buffer of its own.
	Logger *slog.Logger

	// Trace, if set, reads the trace context that goes with a request from the
	// context of the caller; ContextWithTrace puts a received one into the
	// context of the handler.
	Trace            func(ctx context.Context) (TraceContext, bool)
	ContextWithTrace func(ctx context.Context, t TraceContext) context.Context

	Timing Timing
	Limits Limits
}

// TraceContext is a trace id (16 bytes), a span id (8) and flags (1), as in W3C
// Trace Context.
type TraceContext [25]byte

// Timing holds the intervals of a [Manager]. Zero values take the defaults.
type Timing struct {
	Handshake time.Duration // from dialling to the peer's welcome; default 5 s
	DialGrace time.Duration // how long the side that does not dial waits before it does; default 3 s
	Ping      time.Duration // silence after which the peer is asked for a sign of life; default 5 s
	Dead      time.Duration // silence after which the connection is given up; default 12 s
	Write     time.Duration // the longest that a write may wait while the peer takes nothing of it (where that is not known, as it is on Linux over TCP, the longest that it may take); default 4 s
	RetryMin  time.Duration // base of the pauses between dials; default 50 ms
	RetryMax  time.Duration // upper bound of them; default 5 s
	Drain     time.Duration // how long a replaced connection may finish what it runs; default 30 s
}

// Limits bounds the memory that a connection can take. Zero values take the
// defaults.
type Limits struct {
	Calls      int   // calls of the peer that run or wait here at the same time; default 1024, at most 16384
	Streams    int   // streams of the peer at the same time; default 1024, at most 16384
	Message    int64 // longest message in bytes; default 64 MiB
	Large      int64 // memory of messages above 64 KiB that are held at the same time; default 64 MiB, or Message if that is more. A quarter more for those that arrive in streams and are waited for
	SendQueue  int   // bytes of small messages waiting to be sent, above which senders wait; default 4 MiB
	BulkWindow int   // upper bound of bytes of large messages under way; default 16 MiB, at least 64 KiB
}
