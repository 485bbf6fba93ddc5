package testserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// Proxy says how an HTTP proxy behaves; the zero value forwards and tunnels.
type Proxy struct {
	// Auth asks for User and Password.
	Auth Auth
	// Hosts maps host:port, as clients name it, to the address to connect to; other
	// names are resolved as usual.
	Hosts map[string]string
	// Refuse, when it gives a status other than 0, answers so instead.
	Refuse func(r *http.Request) int
	// ConnectReply is sent instead of "HTTP/1.1 200 Connection established" and a
	// blank line; ConnectHang sends nothing at all.
	ConnectReply string
	ConnectHang  bool
	// CutAfter ends a tunnel with a reset when that many bytes came from the
	// server; 0 is never.
	CutAfter int64
}

// ProxyServer is a running proxy. With [WithTLS] it is an https proxy.
type ProxyServer struct {
	*Server
	NTLM *NTLMHandler // with Auth: NTLMAuth

	proxy     Proxy
	transport *http.Transport
	list      watch
	requests  []*http.Request
}

// StartProxy starts an HTTP/1.1 proxy.
func StartProxy(t testing.TB, proxy Proxy, options ...Option) *ProxyServer {
	t.Helper()
	p := &ProxyServer{proxy: proxy}
	p.transport = &http.Transport{DialContext: p.dial, DisableCompression: true}
	t.Cleanup(p.transport.CloseIdleConnections)
	var handler http.Handler = http.HandlerFunc(p.serve)
	switch proxy.Auth {
	case BasicAuth:
		handler = basic(proxyAsks, handler)
	case DigestAuth:
		handler = Digest{}.handler(proxyAsks, handler)
	case NTLMAuth:
		p.NTLM = ntlm(proxyAsks, handler)
		handler = p.NTLM
	}
	mode := H1
	if newSettings(options).tls {
		mode = HTTPS1
	}
	p.Server = StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
		p.keep(r)
		handler.ServeHTTP(w, r)
	}, options...)
	return p
}

// Requests are the heads that the proxy was sent, refused ones and those without
// credentials included.
func (p *ProxyServer) Requests() (all []*http.Request) {
	p.list.read(func() { all = append(all, p.requests...) })
	return all
}

func (p *ProxyServer) keep(r *http.Request) {
	kept := *r
	kept.Header, kept.Body = r.Header.Clone(), nil
	p.list.change(func() { p.requests = append(p.requests, &kept) })
}

func (p *ProxyServer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if mapped, ok := p.proxy.Hosts[address]; ok {
		address = mapped
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (p *ProxyServer) serve(w http.ResponseWriter, r *http.Request) {
	if p.proxy.Refuse != nil {
		if status := p.proxy.Refuse(r); status != 0 {
			http.Error(w, "refused by the proxy", status)
			return
		}
	}
	if r.Method == http.MethodConnect {
		p.tunnel(w, r)
		return
	}
	if r.URL.Host == "" {
		http.Error(w, "this is a proxy", http.StatusBadRequest)
		return
	}
	p.forward(w, r)
}

func (p *ProxyServer) forward(w http.ResponseWriter, r *http.Request) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	for _, name := range []string{"Proxy-Authorization", "Proxy-Connection", "Connection"} {
		out.Header.Del(name)
	}
	resp, err := p.transport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Via", "1.1 tests")
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(flushing{w}, resp.Body)
}

func (p *ProxyServer) tunnel(w http.ResponseWriter, r *http.Request) {
	if p.proxy.ConnectHang {
		<-r.Context().Done()
		return
	}
	server, err := p.dial(r.Context(), "tcp", r.RequestURI)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = server.Close() }()
	counted, _ := r.Context().Value(connNumberKey{}).(*countedConn)
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = client.Close() }()
	// The http.Server does not know this connection any more.
	defer context.AfterFunc(r.Context(), func() { _ = counted.Close() })()
	reply := p.proxy.ConnectReply
	if reply == "" {
		reply = "HTTP/1.1 200 Connection established\r\n\r\n"
	}
	if _, err := io.WriteString(client, reply); err != nil {
		return
	}
	var limit io.Reader = server
	if p.proxy.CutAfter > 0 {
		limit = io.LimitReader(server, p.proxy.CutAfter)
	}
	// Past what the http.Server has read already: it would take an end of stream for a
	// client that has gone.
	early := io.LimitReader(buffered, int64(buffered.Reader.Buffered()))
	splice(client, io.MultiReader(early, client), server, limit, func() {
		if p.proxy.CutAfter > 0 {
			counted.reset()
		}
	})
}

// splice copies both ways until both ends are done; fromServer is called at the
// end of what comes from the server.
func splice(client io.Writer, clientReads io.Reader, server net.Conn, serverReads io.Reader, fromServer func()) {
	var copying sync.WaitGroup
	copying.Go(func() {
		_, err := io.Copy(client, serverReads)
		fromServer()
		closeWrite(client, err)
	})
	_, err := io.Copy(server, clientReads)
	closeWrite(server, err)
	copying.Wait()
}

// closeWrite hands on an end of stream; after an error nothing more can come.
func closeWrite(w io.Writer, err error) {
	half, ok := w.(interface{ CloseWrite() error })
	if ok && (err == nil || errors.Is(err, io.EOF)) {
		_ = half.CloseWrite()
		return
	}
	if c, ok := w.(io.Closer); ok {
		_ = c.Close()
	}
}

// hostPort is for addresses of SOCKS.
func hostPort(host string, port uint16) string { return net.JoinHostPort(host, fmt.Sprint(port)) }
