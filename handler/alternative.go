package handler

import (
	"errors"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// alternativeTime is how long it may take to connect to an alternative: those who
// cannot be reached must not keep the request long from the origin.
const alternativeTime = 3 * time.Second

// encodeAlternative has libcurl connect to the alternative. The URL stays, and with it
// the name in the certificate.
func (h *Handler) encodeAlternative(o *cgo.Options) error {
	a := h.spec.Alternative
	host, err := asciiHost(h.url.Host)
	if err != nil {
		return err
	}
	l := o.BeginList(cgo.OptConnectTo)
	l.Add(hostOnly(host), ":", Port(h.url), ":", a.Authority())
	l.End()
	switch a.Protocol {
	case "h3":
		o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion3Only))
		// The only one there (RFC 9001 §4.2); see also tlsVersions in package config.
		o.Long(cgo.OptSSLVersion, int64(cgo.SSLVersionTLS13))
	case "h2":
		o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion2TLS))
	default:
		o.Long(cgo.OptHTTPVersion, int64(cgo.HTTPVersion11))
	}
	limit := alternativeTime
	if t := h.plan.ConnectTimeout; t > 0 {
		limit = min(limit, t)
	}
	o.Long(cgo.OptConnectTimeoutMS, cgo.Millis(limit))
	return nil
}

// AlternativeFailed reports whether the transfer has failed before its head by what the
// way it took has done, not the caller; unsent tells that the server has seen nothing of
// the request.
func (h *Handler) AlternativeFailed() (failed, unsent bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var e *failure.Error
	if h.stream != nil || h.cancelErr != nil || !errors.As(h.err, &e) {
		return false, false
	}
	switch h.classify(h.err) {
	case retry.NeverSent, retry.Refused, retry.Stale:
		return true, !h.connected
	}
	return e.Code != 0, !h.connected
}
