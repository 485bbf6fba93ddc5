// Package http3 serves an http.Handler over HTTP/3 (RFC 9114), by quic-go. It is a module
// of its own, so that servers without HTTP/3 do not depend on it.
//
//	h3 := &http3.Server{Handler: handler, TLSConfig: config}
//	go h3.ListenAndServe()
//	https := &http.Server{Handler: h3.AltSvc(handler), TLSConfig: config}
//	go https.ListenAndServeTLS("", "")
//
// Clients come over TCP first and learn of HTTP/3 there: [Server.AltSvc] adds the field
// that says so.
//
// # Early data
//
// A request in the first flight of a resumed connection (0-RTT) may have been recorded
// and sent again by somebody else. It is not accepted, unless Server.EarlyData is set.
// With it, safe methods are handled at once, with "Early-Data: 1" in their header (RFC
// 8470), and all others when the handshake is complete, which nobody can repeat.
//
// # Restarts
//
// UDP sockets cannot be handed to another process as those of TCP can. Shut this server
// down before the next one takes the port; clients go over TCP meanwhile.
package http3
