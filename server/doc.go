// Package server is an HTTP server side: connections that take several requests at once and answer
// them in order, that let nothing doubtful through, and that die in an orderly way.
//
//	s := &server.Server{Addr: ":8080", Handler: mux, Pipeline: 15}
//	go func() { err := s.ListenAndServe() … }()
//	…
//	s.Shutdown(ctx) // waits until all have their answers
//
// Handlers are those of net/http, and run unchanged: flushing, hijacking, deadlines and full duplex by
// [net/http.ResponseController], trailers, informational answers, [net/http.ErrAbortHandler],
// [net/http.TimeoutHandler]. What they write reaches the client as net/http's server writes it.
// HTTP/2 is net/http's, on the same handler.
//
// # Pipelining
//
// A client may send requests without waiting for answers. With [Server.Pipeline] the handlers of
// safe ones (GET, HEAD, OPTIONS, TRACE) run at once; the answers leave in the order of the requests.
// A handler whose turn has not come writes into a buffer, and blocks when that is full. Any other
// method waits until all before it are answered, and holds up all behind it (RFC 9112, section
// 9.3.2); so does a body that has not been read.
//
// # Strictness
//
// The raw head of a request is scanned before [net/http.ReadRequest] sees it. What two programs in a
// row could read in two ways is refused with a status that fits, and the connection is closed: both
// Content-Length and Transfer-Encoding, bare LF, folded lines, white space before a colon, and so on.
// [Relax] lets some of it through, by name. [Limits] bound what a client can cost. Requests of HTTP/2 are
// refused for what HTTP/1 could not have said.
//
// # The end of a connection
//
// A connection is [Open], then [Closed]: its socket is gone and the contexts of its requests are
// cancelled, but handlers are still at work; then [Dead]: the last one has returned. A client that
// resets its connection is noticed at once, whatever the server is doing, and costs no goroutine for
// that on Linux. [Server.StateChange] tells of it.
package server
