package grid

import (
	"context"
	"time"
)

// HandlerID names a handler on the wire.
type HandlerID uint16

// SingleHandler answers a single request. The context ends with the caller's
// deadline, when the caller gives up, and when the connection is lost. The
// result may be the payload of the call or a part of it; after the return it must
// not be changed.
type SingleHandler func(ctx context.Context, c *Call) ([]byte, error)

// StreamHandler serves a stream. The stream ends when it returns, after all that
// was sent has reached the peer; with an error, if it returns one.
type StreamHandler func(ctx context.Context, s *ServerStream) error

// HandlerOption is an option of [Manager.HandleSingle] and [Manager.HandleStream].
type HandlerOption interface{ applyHandler(*handlerOptions) }

// CallOption is an option of one request.
type CallOption interface{ applyCall(*callOptions) }

type handlerOptions struct {
	subroute      string
	maxConcurrent int
	queue         int
	timeout       time.Duration
	inline        bool
	window        int
	inCapacity    int
	outCapacity   int
	name          string
	dedupe        int
	dedupeFor     time.Duration
}

type handlerOption func(*handlerOptions)

func (f handlerOption) applyHandler(o *handlerOptions) { f(o) }

// MaxConcurrent bounds how many requests the handler works at, from all peers
// together; default 1024. As many again wait for their turn; further ones
// are answered Overloaded at once. It is at least 1.
func MaxConcurrent(n int) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.maxConcurrent = n; o.queue = n })
}

// MaxWaiting bounds how many requests wait while the handler works at as many
// as it may; default: as many as MaxConcurrent says.
func MaxWaiting(n int) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.queue = n })
}

// Timeout bounds the time of one request, from its arrival; default: none but that of the caller.
func Timeout(d time.Duration) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.timeout = d })
}

// Inline has a single-request handler run on the goroutine that reads the
// connection. It is for handlers that never block and end within microseconds:
// all else on the connection waits for them.
func Inline() HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.inline = true })
}

// InCapacity is how many messages may be on their way to the handler of a
// stream; default 0: the handler takes none.
func InCapacity(n int) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.inCapacity = n })
}

// OutCapacity is how many messages of the handler may be on their way to the
// caller; default 16.
func OutCapacity(n int) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.outCapacity = n })
}

// Name is what the handler is called in snapshots, logs and profiles.
func Name(name string) HandlerOption {
	return handlerOption(func(o *handlerOptions) { o.name = name })
}

// WindowOption is the type of [Window].
type WindowOption int

// Window is how many bytes may be on their way to the receiver of a stream;
// default 256 KiB, at least 64 KiB. A message counts as 64 bytes at least. One that is longer than
// the window takes all of it. One that the receiver waits for counts as received once it begins to arrive, so that
// the next one follows at once. For a handler it is about what the handler receives, for a call about what the caller does.
func Window(bytes int) WindowOption { return WindowOption(bytes) }

func (w WindowOption) applyHandler(o *handlerOptions) { o.window = int(w) }
func (w WindowOption) applyCall(o *callOptions)       { o.window = int(w) }

// SubrouteOption is the type of [Subroute].
type SubrouteOption string

// Subroute tells apart handlers of the same id: the request must bear the subroute
// with which the handler is registered.
func Subroute(name string) SubrouteOption { return SubrouteOption(name) }

func (s SubrouteOption) applyHandler(o *handlerOptions) { o.subroute = string(s) }
func (s SubrouteOption) applyCall(o *callOptions)       { o.subroute = string(s) }

type callOptions struct {
	subroute     string
	window       int
	waitForReady bool
	key          IdempotencyKey
	hasKey       bool
	retries      int
}

type callOption func(*callOptions)

func (f callOption) applyCall(o *callOptions) { f(o) }

// WaitForReady has the request wait for a connection, within its context,
// where there is none, or only one that is [Leaving]. If the context ends first, the error says why there was none,
// and wraps that beside the context's. Without WaitForReady such a request fails at once.
func WaitForReady() CallOption {
	return callOption(func(o *callOptions) { o.waitForReady = true })
}
