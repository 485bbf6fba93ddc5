package ratmom

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/valid"
	"golang.org/x/net/idna"
)

// tokens are the values of Authorization and Proxy-Authorization that
// config.NegotiateAuth and ProxyNegotiateAuth send, "" for none.
type tokens struct{ server, proxy string }

// maxTokens bounds the threads that wait for a KDC, of all clients.
const maxTokens = 16

var makingTokens = make(chan struct{}, maxTokens)

// negotiate makes the tokens for one transfer. It blocks as long as the KDC does, but
// not beyond the request's time.
func (x *exchange) negotiate(req *http.Request) (t tokens, err error) {
	if !x.plan.Negotiates {
		return t, nil
	}
	if err := valid.Request(req); err != nil {
		return t, err // before its host is asked for
	}
	server, proxy := x.cfg.Negotiation(), x.cfg.ProxyNegotiation()
	if server.Service != "" && !hasField("Authorization", req.Header, x.plan.Defaults) {
		if t.server, err = x.token(req, server, req.URL); err != nil {
			return t, err
		}
	}
	if proxy.Service == "" {
		return t, nil
	}
	at, err := x.cfg.ProxyFor(req.URL)
	if err != nil {
		return t, wrapOption(err)
	}
	if at != nil && (at.Scheme == "http" || at.Scheme == "https") {
		t.proxy, err = x.token(req, proxy, at)
	}
	return t, err
}

// hasField reports whether one of the headers has the field, in any case.
func hasField(name string, headers ...http.Header) bool {
	for _, h := range headers {
		for k := range h {
			if strings.EqualFold(k, name) {
				return true
			}
		}
	}
	return false
}

type tokenResult struct {
	token []byte
	err   error
}

// token makes a token for the host of u.
func (x *exchange) token(req *http.Request, n config.Negotiation, u *url.URL) (string, error) {
	host := u.Hostname()
	if a, err := idna.Lookup.ToASCII(host); err == nil {
		host = a // GSS-API knows no other names
	}
	ctx := req.Context()
	if !x.deadline.IsZero() {
		limited, cancel := context.WithDeadline(ctx, x.deadline)
		defer cancel()
		ctx = limited
	}
	select {
	case makingTokens <- struct{}{}:
	case <-ctx.Done():
		return "", late(ctx)
	case <-req.Cancel: //nolint:staticcheck // http.Client.Timeout still works by it
		return "", failure.Wrap(failure.Canceled, errRequestCancel)
	}
	done := make(chan tokenResult, 1)
	go func() {
		defer func() { <-makingTokens }()
		token, err := cgo.NegotiateToken(n.Service, host, n.Flags)
		done <- tokenResult{token, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", failure.Newf(failure.Auth, "no ticket for %s/%s: %w", n.Service, host, r.err)
		}
		return "Negotiate " + base64.StdEncoding.EncodeToString(r.token), nil
	case <-ctx.Done():
		return "", late(ctx)
	case <-req.Cancel: //nolint:staticcheck // http.Client.Timeout still works by it
		return "", failure.Wrap(failure.Canceled, errRequestCancel)
	}
}

// errRequestCancel is the cause when req.Cancel says so, in net/http's words.
var errRequestCancel = errors.New("net/http: request canceled")

// late is the error of what took longer than the request may.
func late(ctx context.Context) *failure.Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failure.Wrap(failure.Timeout, context.Cause(ctx))
	}
	return failure.Wrap(failure.Canceled, context.Cause(ctx))
}
