// Package proxyproto reads the header that a load balancer or proxy sends before a
// connection's own bytes, to say whose connection it is: HAProxy's PROXY protocol, in
// its versions 1 (a line of text) and 2 (binary).
//
// [Listen] wraps a listener; its connections have the client's address as RemoteAddr
// and the address that the client spoke to as LocalAddr:
//
//	l, err := proxyproto.Listen(tcp, proxyproto.Config{
//		Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
//	})
//	err = server.Serve(l)
//
// TLS goes on the outside: tls.NewListener(l, config), or ServeTLS(l, …).
//
// # Trust
//
// Whoever may send a header may claim any address. Headers are therefore read from the
// networks in Config.Trusted alone; bytes from elsewhere are never taken for one.
// A connection from a trusted network without a header is refused, unless
// Config.HeaderOptional is set; one from elsewhere passes as it is, unless
// Config.RefuseOthers is set.
//
// # Waiting
//
// Headers are read before Accept returns a connection, each on a goroutine of its own
// and within Config.Timeout: a proxy that says nothing holds up nobody else, and the
// addresses of a connection that Accept has returned are there without waiting.
package proxyproto
