package handler

import (
	"hash/maphash"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/valid"
	"github.com/ratmom/ratmom/retry"
)

// Packed options are built in memory that is used again.
var optionsPool = sync.Pool{New: func() any { return new(optionBuffers) }}

type optionBuffers struct{ all, target, url, headers cgo.Options }

func (b *optionBuffers) reset() {
	b.all.Reset()
	b.target.Reset()
	b.url.Reset()
	b.headers.Reset()
}

// plain reports whether the request sets nothing of its own but URL and header, so
// that a handle set up for one like it serves.
func (h *Handler) plain() bool {
	req := h.spec.Request
	return h.method == http.MethodGet && h.source.IsNone() && !h.upgrade && !h.spec.Fresh && h.spec.Alternative == nil &&
		!req.Close && len(req.Trailer) == 0 && !hasHeader(req.Header, "Expect") && h.plan.Target == "" && plainTarget(h.target)
}

// Upgrades reports whether req is to make its connection a raw stream.
func Upgrades(req *http.Request) bool {
	if len(req.Header) == 0 {
		return req.Method == http.MethodConnect
	}
	to := req.Header["Upgrade"]
	return req.Method == http.MethodConnect ||
		len(to) > 0 && to[0] != "" ||
		httpguts.HeaderValuesContainsToken(req.Header["Connection"], "upgrade")
}

// prepare validates the request and sets up the transfer: on the caller's
// goroutine, before anything is sent.
func (h *Handler) prepare() error {
	req := h.spec.Request
	if err := valid.Request(req); err != nil {
		return err
	}
	if h.plan.NoUserinfo && req.URL.User != nil {
		return failure.New(failure.InvalidRequest, "the URL has a user name in it (config.DisallowUserinfo)")
	}
	if err := req.Context().Err(); err != nil {
		return cancelError(err)
	}
	if h.spec.WebSocket {
		return h.prepareWebSocket()
	}
	if h.spec.Tunnel {
		return h.prepareTunnel()
	}
	src, err := body.FromRequest(req)
	if err != nil {
		return err
	}
	h.source = src
	if h.plan.AWS {
		h.hashBody() // as long as it is in memory
	}
	if h.plan.OnUpload != nil {
		src.Stream() // so that somebody reads it
	}
	if h.target = h.plan.Target; h.target == "" {
		h.target = req.URL.RequestURI()
	}
	h.upgrade = Upgrades(req)
	h.trace = newTrace(req.Context(), h)
	h.trace.start()
	b := optionsPool.Get().(*optionBuffers)
	b.reset()
	err = h.encode(b)
	optionsPool.Put(b)
	if err == nil && !src.IsStream() {
		return src.Close() // the bytes have been taken
	}
	return err
}

// encode takes a transfer and sets it up.
func (h *Handler) encode(b *optionBuffers) (err error) {
	req, o := h.spec.Request, &b.all
	if err := h.plan.Config.EncodeTarget(&b.target, req.URL); err != nil {
		return err
	}
	var profile any
	if h.plain() {
		profile = h.plan.profile(req.URL.Scheme == "https")
	}
	if h.t, err = h.pool.Get(profile, &b.target); err != nil {
		return failure.Wrap(failure.Internal, err)
	}
	var kin uint64
	if !h.t.Warm() {
		if err := h.plan.Config.Encode(o, req.URL); err != nil {
			return err
		}
		h.encodeConnection(o)
		kin = maphash.Bytes(originSeed, o.Bytes())
	}
	if err := h.encodeURL(&b.url); err != nil {
		return err
	}
	h.t.URL(&b.url, o, h.pool)
	if h.spec.Alternative != nil {
		n := o.Len()
		if err := h.encodeAlternative(o); err != nil {
			return err
		}
		kin ^= maphash.Bytes(originSeed, o.Bytes()[n:])
	}
	if err := h.setDeadline(); err != nil {
		return err
	}
	setup := cgo.Setup{
		ID:         h.ID,
		HighWater:  h.plan.HighWater,
		MaxHead:    h.plan.MaxHead,
		Infos:      h.plan.Infos,
		Limited:    h.plan.Limited,
		AuthArmed:  h.plan.AuthArmed,
		ExpectSent: len(req.Header["Expect"]) > 0,
		Debug:      h.plan.Wire,
		Trailers:   len(req.Trailer) > 0,
		InfoFree:   h.trace.wantsInfo(),
		Sent:       h.spec.Sent != nil,

		TLS:          h.url.Scheme == "https",
		TLSInTLS:     h.tlsInTLS(),
		Certificates: h.plan.Certificates && req.URL.Scheme == "https",
	}
	setup.Serial = h.serial()
	setup.Origin, setup.Kin = h.origin(setup.Serial), kin
	if a := h.spec.ProxyAuthorization; a != "" {
		h.plan.Config.EncodeProxyAuthorization(o, req.URL, a)
	}
	if err := h.encodeBody(o, &setup); err != nil {
		return err
	}
	if err := h.encodeHeaders(&b.headers, &setup); err != nil {
		return err
	}
	h.t.Headers(&b.headers, o)
	if err := h.t.Prepare(&setup, o); err != nil {
		return failure.Wrap(failure.InvalidOption, err)
	}
	if profile != nil {
		h.t.Keep(profile, &b.target)
	}
	return nil
}

// setDeadline notes what is left of the total time. The agent watches it: a limit
// of libcurl's own would drop a paused HTTP/2 stream in a way that 7.88.1 does not
// get over (see ratmom_cancel).
func (h *Handler) setDeadline() error {
	if d := h.spec.TryTime; d > 0 {
		h.headBy = cgo.Now() + int64(d)
	}
	if h.spec.Deadline.IsZero() {
		return nil
	}
	left := time.Until(h.spec.Deadline)
	if left <= 0 {
		return failure.New(failure.Timeout, "the total time is over")
	}
	h.deadline = cgo.Now() + int64(left)
	return nil
}

// tlsInTLS reports whether TLS is spoken with the server and with the proxy.
func (h *Handler) tlsInTLS() bool { return h.url.Scheme == "https" && h.tlsToProxy() }

func (h *Handler) tlsToProxy() bool {
	if h.plan.Proxyless {
		return false
	}
	p, err := h.plan.Proxy(h.url)
	return err == nil && p != nil && p.Scheme == "https"
}

func (h *Handler) encodeConnection(o *cgo.Options) {
	req := h.spec.Request
	if h.spec.Fresh || h.upgrade {
		// An upgrade also: 7.88.1 does not get over a connection that dies as a
		// paused upload begins on it.
		o.Long(cgo.OptFreshConnect, 1)
	}
	if req.Close {
		o.Long(cgo.OptForbidReuse, 1)
	}
	if h.asksHTTP1() {
		o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion11))
	} else if req.URL.Scheme == "https" && !h.plan.HTTP1 && !h.plan.PipeWaitSet && h.spec.Link == nil {
		// Wait for a connection that may multiplex. On plain http this would
		// make parallel requests wait for one another's answers.
		o.Long(cgo.OptPipeWait, 1)
	}
}

// asksHTTP1 reports whether the request takes HTTP/1.1: upgrades and request trailers
// exist nowhere else.
func (h *Handler) asksHTTP1() bool {
	return h.upgrade || (len(h.spec.Request.Trailer) > 0 && !h.plan.PriorKnowledge)
}

// copyBody is the size up to which a request body in memory is copied and sent
// with the head, in bytes.
const copyBody = 64 * 1024

// encodeBody sets the method and hands the body over.
func (h *Handler) encodeBody(o *cgo.Options, setup *cgo.Setup) error {
	req, src := h.spec.Request, h.source
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	// That a refused stream is told from a dead connection for sure matters only
	// where the latter must not be repeated; it costs time.
	setup.MayResend = (req.URL.Scheme == "https" || h.plan.PriorKnowledge) && !retry.Idempotent(method)

	if h.upgrade {
		h.upload = newPump(h)
		o.Long(cgo.OptUpload, 1)
		o.OffT(cgo.OptInFileSizeLarge, -1)
		o.String(cgo.OptCustomRequest, method)
		return h.t.BodyRing(ringSize, -1, false)
	}
	if src.IsNone() {
		switch method {
		case http.MethodGet:
		case http.MethodHead:
			o.Long(cgo.OptNoBody, 1)
		case http.MethodPost, http.MethodPut, http.MethodPatch:
			// RFC 9110 §8.6: say that there is no content.
			o.String(cgo.OptCustomRequest, method)
			return h.t.BodyCopy(nil)
		default:
			o.String(cgo.OptCustomRequest, method)
		}
		return nil
	}
	setup.HeadOnly = method == http.MethodHead
	length := src.Length()
	if !h.plan.RoundTripper {
		if n, err := headerLength(req.Header); err != nil {
			return err
		} else if n >= 0 {
			length = n // the header says how much of the body to send
		}
	}
	if b, ok := src.Bytes(); ok && len(req.Trailer) == 0 {
		if length >= 0 && length < int64(len(b)) {
			b = b[:length]
		}
		if len(b) <= copyBody && h.spec.Sent == nil {
			o.String(cgo.OptCustomRequest, method)
			return h.t.BodyCopy(b)
		}
		h.t.BodyMemory(b)
		length = int64(len(b))
	} else {
		if len(req.Trailer) > 0 {
			length = -1 // trailers need the chunked coding
		}
		h.upload = newPump(h)
		if err := h.t.BodyRing(ringSize, length, src.Rewindable()); err != nil {
			return err
		}
	}
	o.Long(cgo.OptUpload, 1)
	o.OffT(cgo.OptInFileSizeLarge, length)
	if method != http.MethodPut {
		o.String(cgo.OptCustomRequest, method)
	}
	return nil
}

func headerLength(h http.Header) (int64, error) {
	if len(h["Content-Length"]) == 0 {
		return -1, nil
	}
	return valid.ContentLength(h)
}
