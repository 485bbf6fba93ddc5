// The factory that lets Go's own net/http client tests run over
// Client.Transport(). The runner copies this file next to the tests.

package http_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"sync"
	"weak"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
)

func init() {
	factories["ratmom"] = Factory{
		New: newRatmom,
		Knobs: []string{
			"CancelRequest", "DisableCompression", "DisableKeepAlives", "ExpectContinueTimeout",
			"ForceAttemptHTTP2", "GetProxyConnectHeader", "IdleConnTimeout", "MaxConnsPerHost",
			"MaxIdleConns", "MaxIdleConnsPerHost", "MaxResponseHeaderBytes", "Protocols", "Proxy",
			"ProxyConnectHeader", "ReadBufferSize", "RegisterProtocol", "ResponseHeaderTimeout",
			"TLS.CipherSuites", "TLS.InsecureSkipVerify", "TLS.MaxVersion", "TLS.MinVersion",
			"TLS.NextProtos", "TLS.RootCAs", "TLS.ServerName", "TLSHandshakeTimeout", "TLSNextProto",
			"WriteBufferSize",
		},
	}
}

// ratmomTripper maps an http.Transport's settings, which it never uses to send,
// to options.
type ratmomTripper struct {
	cfg    FactoryConfig
	client *ratmom.Client

	mu      sync.Mutex
	cancels map[weak.Pointer[http.Request]]context.CancelCauseFunc
}

func newRatmom(fc FactoryConfig) (http.RoundTripper, error) {
	c := fc.Config
	opts := []config.ClientOption{config.UserAgent("Go-http-client/1.1"), config.Proxy("")}
	if len(fc.Roots) > 0 {
		var b bytes.Buffer
		for _, r := range fc.Roots {
			pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: r.Raw})
		}
		opts = append(opts, config.CABytes(b.Bytes()))
	}
	if len(fc.Rewrite) > 0 {
		opts = append(opts, config.ConnectTo(fc.Rewrite))
	}
	if t := c.TLSClientConfig; t != nil {
		if t.InsecureSkipVerify {
			opts = append(opts, config.DangerAcceptInvalidCertificates(true), config.DangerAcceptInvalidHostnames(true))
		}
		if t.ServerName != "" {
			opts = append(opts, config.TLSServerName(t.ServerName))
		}
		if t.MinVersion != 0 {
			opts = append(opts, config.TLSMinVersion(t.MinVersion))
		}
		if t.MaxVersion != 0 {
			opts = append(opts, config.TLSMaxVersion(t.MaxVersion))
		}
	}
	opts = append(opts, config.HTTPVersion(version(c)))
	if c.DisableCompression {
		opts = append(opts, config.Decompression(false))
	}
	if c.ResponseHeaderTimeout > 0 {
		opts = append(opts, config.ResponseHeadTimeout(c.ResponseHeaderTimeout))
	}
	if c.MaxConnsPerHost > 0 {
		opts = append(opts, config.MaxConnectionsPerHost(c.MaxConnsPerHost))
	}
	if c.MaxIdleConns > 0 {
		opts = append(opts, config.ConnectionCacheSize(c.MaxIdleConns))
	}
	if c.IdleConnTimeout > 0 {
		opts = append(opts, config.IdleConnectionAge(c.IdleConnTimeout))
	}
	if c.ExpectContinueTimeout > 0 {
		opts = append(opts, config.ExpectContinue(c.ExpectContinueTimeout))
	}
	if n := c.MaxResponseHeaderBytes; n > 0 {
		opts = append(opts, config.MaxResponseHeadBytes(int(n)))
	}
	client, err := ratmom.New(opts...)
	if err != nil {
		return nil, err
	}
	return &ratmomTripper{cfg: fc, client: client, cancels: map[weak.Pointer[http.Request]]context.CancelCauseFunc{}}, nil
}

func version(c *http.Transport) config.Version {
	if p := c.Protocols; p != nil {
		switch {
		case p.UnencryptedHTTP2() && !p.HTTP1():
			return config.HTTP2PriorKnowledge
		case !p.HTTP2():
			return config.HTTP11
		}
		return config.HTTP2
	}
	if c.TLSNextProto != nil {
		return config.HTTP11
	}
	return config.HTTP2
}

func (t *ratmomTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL != nil {
		if alt := t.cfg.Alt[req.URL.Scheme]; alt != nil {
			res, err := alt.RoundTrip(req)
			if err != http.ErrSkipAltProtocol {
				return res, err
			}
			if req.GetBody != nil { // it may have been read
				r := *req
				if r.Body, err = req.GetBody(); err != nil {
					return nil, err
				}
				req = &r
			}
		}
	}
	defer countTransfers()
	var opts []config.RequestOption
	c := t.cfg.Config
	orig := req
	if c.DisableKeepAlives {
		r := *req
		r.Close = true
		req = &r
	}
	if c.Proxy != nil && req.URL != nil {
		u, err := c.Proxy(req)
		if err != nil {
			closeBody(req)
			return nil, err
		}
		if u != nil {
			opts = append(opts, config.Proxy(u.String()))
			hdr := c.ProxyConnectHeader
			if c.GetProxyConnectHeader != nil {
				if hdr, err = c.GetProxyConnectHeader(req.Context(), u, req.URL.Host); err != nil {
					closeBody(req)
					return nil, err
				}
			}
			if len(hdr) > 0 {
				opts = append(opts, config.ProxyHeaders(hdr))
			}
		}
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	req = req.WithContext(ctx)
	t.mu.Lock()
	t.cancels[weak.Make(orig)] = cancel
	t.mu.Unlock()
	res, err := t.client.Transport(opts...).RoundTrip(req)
	if res != nil {
		res.Request = orig
	} else {
		t.mu.Lock()
		delete(t.cancels, weak.Make(orig))
		t.mu.Unlock()
	}
	return res, err
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

func (t *ratmomTripper) CancelRequest(req *http.Request) {
	t.mu.Lock()
	cancel := t.cancels[weak.Make(req)]
	t.mu.Unlock()
	if cancel != nil {
		cancel(shimExportErrRequestCanceled)
	}
}

func (t *ratmomTripper) CloseIdleConnections() { t.client.CloseIdleConnections() }

// countTransfers proves that libcurl did the work: RATMOM_TRANSFERS names a folder
// in which each process leaves its count.
func countTransfers() {
	if dir := os.Getenv("RATMOM_TRANSFERS"); dir != "" {
		os.WriteFile(fmt.Sprintf("%s/%d", dir, os.Getpid()), fmt.Append(nil, cgo.CountAlive().Added), 0o666)
	}
}
