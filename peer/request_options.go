package peer

import (
	"time"

	"github.com/ratmom/ratmom/internal/usercall"
	"github.com/ratmom/ratmom/retry"
)

// RequestOption is an option of one request.
type RequestOption func(*requestOptions)

type requestOptions struct {
	priority      int
	key           Key
	profile       string
	owner         string
	repeatable    bool
	timeout       time.Duration
	anyStatus     bool
	head, content []byte
	into          bool
	truncate      bool
	maxContent    int64
	keepParts     bool
	progress      func(received, total int64)
	upload        func(sent, total int64)
	onEnd         func()
	retry         *retry.Policy
	retrySet      bool
	retryErr      error
}

// defaultOptions are those of a request that has none. Nobody changes them.
var defaultOptions = requestOptions{maxContent: defaultMaxContent}

func optionsOf(opts []RequestOption) *requestOptions {
	if len(opts) == 0 {
		return &defaultOptions
	}
	all := defaultOptions
	for _, o := range opts {
		if o != nil {
			o(&all)
		}
	}
	return &all
}

// defaultMaxContent is the most that a response may make us hold, in bytes.
const defaultMaxContent = 64 << 20

// Priority puts a request before those of a lower one that wait for the same peer.
// Default: 0.
func Priority(n int) RequestOption { return func(o *requestOptions) { o.priority = n } }

// HashKey is what hashing policies go by.
func HashKey(k Key) RequestOption { return func(o *requestOptions) { o.key = k } }

// WithProfile sends the request under a [Profile] of the map.
func WithProfile(name string) RequestOption { return func(o *requestOptions) { o.profile = name } }

// Repeatable says that the request may reach the server twice, as one with an idempotent method
// or an Idempotency-Key may: it is sent once more when an old connection dies under it.
func Repeatable() RequestOption { return func(o *requestOptions) { o.repeatable = true } }

// Timeout ends the request with ratmom.ErrTimeout if it has not ended after d, its wait for
// a connection included; below 0 the time is over before it begins. Default, and 0: what config.Timeout says.
func Timeout(d time.Duration) RequestOption { return func(o *requestOptions) { o.timeout = d } }

// AnyStatus makes no error of a status that is not 2xx.
func AnyStatus() RequestOption { return func(o *requestOptions) { o.anyStatus = true } }

// Into has the response put into memory of the caller's: the raw head, as far as head
// reaches, and the content. They must be left alone until the request has ended or been
// cancelled, from when on they are not touched again. A content that does not fit ends the request with
// [ErrOverrun], unless [Truncate] is given; a head that does not fit is cut. Either can be nil: a
// nil content is held as without Into.
func Into(head, content []byte) RequestOption {
	return func(o *requestOptions) { o.head, o.content, o.into = head, content, content != nil }
}

// Truncate cuts a content that does not fit, which is then no error. The rest is received and
// dropped if it is little.
func Truncate() RequestOption { return func(o *requestOptions) { o.truncate = true } }

// MaxContent is how much content the response may have without [Into], in bytes; what does not fit ends
// the request with [ErrOverrun], or is cut (see [Truncate]). Default: 64 MiB.
func MaxContent(n int64) RequestOption { return func(o *requestOptions) { o.maxContent = max(n, 0) } }

// KeepParts leaves the content in the parts that it was received in, in Result.Parts, in
// place of joining them.
func KeepParts() RequestOption { return func(o *requestOptions) { o.keepParts = true } }

// OnProgress has f called as content is received: with what there is of it, and with its whole length,
// -1 if that is not known. It is called by one goroutine at a time, which others wait for:
// it must not block. A panic of it goes to the standard logger and no further.
func OnProgress(f func(received, total int64)) RequestOption {
	return func(o *requestOptions) { o.progress = guarded("OnProgress", f) }
}

// guarded is f for a worker, which a panic of it must not end; it goes to the standard logger.
func guarded(name string, f func(n, total int64)) func(n, total int64) {
	if f == nil {
		return nil
	}
	return func(n, total int64) { usercall.Run(name, func() { f(n, total) }) }
}

// OnUpload has f called as the content of the request is sent: with how much of it the connection has taken, and with
// its whole length, -1 if that is not known. When the content is sent again the count begins at 0. It is called as
// that of [OnProgress] is; several steps may be told by one call, and the last one may come when the
// request has ended.
func OnUpload(f func(sent, total int64)) RequestOption {
	return func(o *requestOptions) { o.upload = guarded("OnUpload", f) }
}

// OnEnd has f called once, when the request has ended, by one of a few goroutines that others wait for: it
// must not block. As with that of [OnProgress], a panic of it goes to the standard logger and no further.
func OnEnd(f func()) RequestOption {
	return func(o *requestOptions) {
		if o.onEnd = nil; f != nil {
			o.onEnd = func() { usercall.Run("OnEnd", f) }
		}
	}
}
