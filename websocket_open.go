package ratmom

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455, section 1.3
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// WebSocket opens a WebSocket at url, whose scheme is ws, wss, http or https. See
// [Client.OpenWebSocket].
func (c *Client) WebSocket(ctx context.Context, url string, opts ...config.RequestOption) (*WebSocket, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, badRequest(http.MethodGet, url, err)
	}
	return c.OpenWebSocket(req, opts...)
}

// OpenWebSocket opens a WebSocket with the header of req, such as Origin or
// Sec-WebSocket-Protocol; req is a GET without a body. It goes through the proxy that
// the options name, with CONNECT. The context, config.Timeout and config.ConnectTimeout
// limit the opening, not its life. Interceptors and redirects do not apply; a cookie
// jar's cookies are sent.
//
// It needs libcurl 8.14.0 or later with WebSocket; else the error is ErrUnsupported. A
// server that refuses is an ErrProtocol with the status in its text.
// CURLOPT_CONNECT_ONLY, CURLOPT_WS_OPTIONS.
func (c *Client) OpenWebSocket(req *http.Request, opts ...config.RequestOption) (*WebSocket, error) {
	if f := cgo.Features(); !handler.WebSocketSupported(f) {
		return nil, failure.Newf(failure.Unsupported, "WebSocket needs libcurl 8.14.0 or later, built with it; this is %s", f.VersionString)
	}
	plan := c.plan
	if len(opts) > 0 {
		cfg, err := c.cfg.Request(opts...)
		if err != nil {
			return nil, wrapOption(err)
		}
		plan = handler.NewPlan(cfg, false)
	}
	req, key, err := c.upgrading(req, plan.Jar)
	if err != nil {
		return nil, err
	}
	t, err := c.connect(req, plan, tunnelWebSocket)
	if err != nil {
		return nil, err
	}
	head, err := t.h.UpgradeHead()
	if err == nil {
		err = accepted(head, key, req.Header)
	}
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	if plan.Jar != nil {
		_, set := fields(plan.Jar)
		set(req, &Response{Response: &http.Response{Header: head.Header}})
	}
	w := &WebSocket{t: t, header: head.Header, over: make(chan struct{}), unread: make(chan struct{})}
	w.limit.Store(defaultMessageLimit)
	return w, nil
}

// upgrading returns the request that asks for a WebSocket, and its key.
func (c *Client) upgrading(req *http.Request, jar http.CookieJar) (*http.Request, string, error) {
	if req == nil || req.URL == nil {
		return nil, "", failure.New(failure.InvalidRequest, "the request has no URL")
	}
	if method(req) != http.MethodGet || req.Body != nil && req.Body != http.NoBody {
		return nil, "", failure.New(failure.InvalidRequest, "a WebSocket is opened by a GET without a body")
	}
	req = req.Clone(req.Context())
	switch req.URL.Scheme {
	case "ws":
		req.URL.Scheme = "http"
	case "wss":
		req.URL.Scheme = "https"
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	for _, own := range []string{"Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions"} {
		if _, ok := req.Header[own]; ok {
			return nil, "", failure.Newf(failure.InvalidRequest, "the header %s of a WebSocket is not the caller's", own)
		}
	}
	if c.hsts != nil {
		req = c.secured(req)
	}
	if jar != nil {
		get, _ := fields(jar)
		if field := get(req); field != "" {
			req.Header["Cookie"] = []string{field}
		}
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	key := base64.StdEncoding.EncodeToString(nonce)
	req.Header["Sec-Websocket-Key"] = []string{key}
	return req, key, nil
}

// accepted checks the server's answer, which libcurl does not (RFC 6455, section 4.1).
func accepted(head *handler.Head, key string, asked http.Header) error {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	if got := head.Header.Get("Sec-Websocket-Accept"); got != base64.StdEncoding.EncodeToString(sum[:]) {
		return failure.New(failure.Protocol, "the server's Sec-WebSocket-Accept is wrong")
	}
	if ext := head.Header.Get("Sec-Websocket-Extensions"); ext != "" {
		return failure.Newf(failure.Protocol, "the server uses the extension %q, which was not asked for", ext)
	}
	if p := head.Header.Get("Sec-Websocket-Protocol"); p != "" && !listed(asked.Values("Sec-Websocket-Protocol"), p) {
		return failure.Newf(failure.Protocol, "the server speaks the protocol %q, which was not asked for", p)
	}
	return nil
}

// listed reports whether name is in the lists of tokens.
func listed(lists []string, name string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.TrimSpace(item) == name {
				return true
			}
		}
	}
	return false
}
