package handler

import (
	"errors"
	"io"
	"strings"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// CURLcodes that need more than the table.
const (
	codeOK          = 0
	codeConnect     = 7
	codePartialFile = 18
	codeMemory      = 27
	codeHTTP2       = 16
	codeGotNothing  = 52
	codeSendError   = 55
	codeRecvError   = 56
	codeHTTP2Stream = 92
)

// outcome turns the end of a transfer into an error, nil if it was good.
func (h *Handler) outcome(res cgo.Result) error {
	switch res.Cause {
	case cgo.CauseHeadOnly:
		return nil
	case cgo.CauseHeadTooLarge:
		return failure.Newf(failure.HeadTooLarge, "more than %d bytes", h.plan.MaxHead)
	case cgo.CauseResend:
		if h.refusedUnseen() {
			return h.errRefused()
		}
		return failure.New(failure.ConnectionClosed, "the connection died before the first byte of the response")
	case cgo.CauseRefused:
		return h.errRefused()
	case cgo.CauseHungUp:
		h.unprocessed(refusedUnsent)
		return failure.New(failure.ConnectionClosed, "the connection was closed before the request was sent")
	case cgo.CauseLinkLost:
		h.loseLink()
		return failure.New(failure.ConnectionClosed, "the connection of the link cannot be used")
	case cgo.CauseRevoked:
		h.unprocessed(refusedUnsent)
		return errWithdrawn
	case cgo.CauseShortUpload, cgo.CauseUpload:
		if err := h.uploadErr(); err != nil {
			return err
		}
		return failure.New(failure.RequestBody, "the request body ended early")
	case cgo.CauseRewind:
		return failure.New(failure.BodyNotRewindable, "the request had to be sent again when a part of its body had been taken")
	case cgo.CauseMemory:
		return failure.New(failure.OutOfMemory, "")
	case cgo.CauseLookups:
		return failure.New(failure.NameResolution, "too many name look-ups that were given up have not ended (config.MaxAbandonedLookups)")
	case cgo.CauseMulti:
		return failure.Newf(failure.Internal, "the multi handle refused the transfer: CURLMcode %d", res.Multi)
	}
	if err := h.uploadErr(); err != nil && res.Code != codeOK {
		return err
	}
	if res.Code == codeOK {
		return nil
	}
	if h.goodReset(res) {
		return nil
	}
	if res.Code == codeMemory && h.t.HeadBytes() > 0 && h.stream == nil {
		// libcurl's own limit of a header line has no code of its own.
		return failure.Newf(failure.HeadTooLarge, "a header line is longer than libcurl takes")
	}
	if res.Code == codeHTTP2 && res.Text == "" && h.stream == nil && cgo.Features().Version < 0x080000 && h.refusedUnseen() {
		return h.errRefused() // GOAWAY
	}
	e := failure.FromCurl(res.Code, res.Text)
	if h.stream == nil && res.Code == codePartialFile {
		e.Kind = failure.ConnectionClosed // 7.88.1 says so over HTTP/2, though there is no response yet
	}
	if h.brokenProxy(e.Kind) && !h.conn.open {
		e.Kind = failure.Proxy
	}
	if e.Kind == failure.Proxy {
		e.ProxyStatus = h.t.ConnectStatus()
	}
	if e.Kind == failure.Connect && res.Code == codeConnect {
		h.explainConnect(e)
	}
	if e.Kind == failure.TLS && strings.Contains(res.Text, "wrong version number") {
		e.Detail = "server gave HTTP response to HTTPS client (" + res.Text + ")"
	}
	if res.Text == "" {
		e.Detail = cgo.Strerror(res.Code)
		if res.Code == codeHTTP2Stream && cgo.Features().Version < 0x080000 {
			// It comes from sending on a stream whose end was good.
			e.Detail = "the server answered and reset the stream before it had the whole body; libcurl before 8.0 loses that answer"
		}
	}
	if h.plan.Certificates && h.stream == nil {
		e.PeerCertificates = peerCertificates(h.t.Certificates())
	}
	if h.stream != nil && isBroken(res.Code) {
		// A body that breaks off is never a short body.
		e.Kind, e.Err = failure.Truncated, io.ErrUnexpectedEOF
	}
	return e
}

// explainConnect says what libcurl leaves out of why there is no connection.
func (h *Handler) explainConnect(e *failure.Error) {
	if errno := h.t.ConnectErrno(); errno != 0 {
		// "connection refused" says more than "couldn't connect to server".
		e.Err, e.Detail = errno, strings.TrimSuffix(e.Detail, ": "+cgo.Strerror(codeConnect))
	}
	if path := h.plan.Config.UnixSocket(); path != "" {
		if e.Err != nil {
			e.Detail = "to the unix socket " + path
		}
	} else if p, err := h.plan.Proxy(h.proxiedURL()); err == nil && p != nil {
		e.Detail = "to a proxy: " + e.Detail
	}
}

// errRefused is the error of a request that the server did not process.
func (h *Handler) errRefused() error {
	h.unprocessed(refusedStream)
	return failure.New(failure.HTTP2, "the server refused the stream")
}

// refusal says why the server has done nothing for a request.
type refusal uint8

const (
	refusedNot refusal = iota
	refusedStream
	refusedUnsent // the connection had gone before
)

// unprocessed notes that the server has done nothing for the request.
func (h *Handler) unprocessed(why refusal) {
	h.mu.Lock()
	h.refused = why
	h.mu.Unlock()
}

// refusedUnseen reports whether a failure without words, for which libcurl has hardly
// any other reason over a new connection, may be taken for a refusal. Requests that
// must not be repeated by mistake do not guess: libcurl's remarks are watched for them.
func (h *Handler) refusedUnseen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.reused && h.t.Status() == 0 && retry.Idempotent(h.method)
}

func isBroken(code int) bool {
	return code == codePartialFile || code == codeRecvError || code == codeGotNothing
}

// goodReset recognises the end that 7.88.1 reports as an error: over HTTP/2 the
// server has sent its whole response and then reset the upload with NO_ERROR.
func (h *Handler) goodReset(res cgo.Result) bool {
	if h.stream == nil || (res.Code != codeHTTP2Stream && res.Code != codeHTTP2) {
		return false
	}
	n := h.expect()
	if strings.Contains(res.Text, "NO_ERROR") {
		return n < 0 || n == h.t.Received()
	}
	// Sending on the stream that was reset is reported without words; only the
	// length can tell then that the response is whole.
	return res.Text == "" && n == h.t.Received()
}

// annotate gives err the request's method, URL and addresses.
func (h *Handler) annotate(err error) error {
	var e *failure.Error
	if !errors.As(err, &e) {
		e = failure.Wrap(failure.Internal, err)
	}
	if e.Op != "" {
		return err
	}
	c := *e
	_ = c.At(h.method, h.url)
	h.mu.Lock()
	c.LocalAddr, c.RemoteAddr = h.local, h.remote
	h.mu.Unlock()
	c.Log = h.log.last()
	if h.plan.RoundTripper {
		return roundTripError(&c, h.plan.MaxHead)
	}
	return &c
}

// Class classifies the end of the transfer, up to its head: a response is [retry.Other],
// its status is judged elsewhere. A cancel that came after a failure does not matter: it
// fails the repetition, and then the caller gets its reason.
func (h *Handler) Class() retry.Class {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.classify(h.err)
}

func (h *Handler) classify(err error) retry.Class {
	var e *failure.Error
	if h.stream != nil || h.givenUp || !errors.As(err, &e) {
		return retry.Other
	}
	switch {
	case h.refused == refusedUnsent:
		return retry.NeverSent
	case h.refused == refusedStream:
		return retry.Refused
	case e.Kind == failure.ConnectionClosed && e.Code == 0:
		return retry.Stale // libcurl itself wanted to send it again
	case h.reused && (isBroken(e.Code) || e.Code == codeSendError || e.Code == codeHTTP2):
		return retry.Stale
	case !h.connected:
		return unconnected(e)
	case e.Code == codePartialFile:
		return retry.Broken
	}
	switch e.Kind {
	case failure.NameResolution, failure.Connect, failure.TLS, failure.Proxy:
		if h.reused {
			return retry.Stale // libcurl had no connection to send it again on
		}
	case failure.Timeout:
		return retry.Timeout
	case failure.Protocol:
		if e.Code == 0 {
			return retry.Broken // the head broke off
		}
	case failure.Send, failure.Receive, failure.ConnectionClosed, failure.HTTP2, failure.HTTP3:
		return retry.Broken
	}
	return retry.Other
}

// unconnected is the class of a transfer that had no connection to send its request on.
func unconnected(e *failure.Error) retry.Class {
	switch e.Kind {
	case failure.NameResolution, failure.Connect, failure.TLS, failure.Timeout, failure.Send, failure.Receive,
		failure.ConnectionClosed, failure.HTTP2, failure.HTTP3:
		return retry.Connect
	case failure.Proxy:
		switch e.ProxyStatus {
		case 0, 502, 503, 504:
			return retry.Connect
		}
	}
	return retry.Other
}
