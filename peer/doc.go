// Package peer is for programs that talk to many servers: it knows each of them, which of
// its addresses are any good, which connection each request is on, and what of a
// request the server has seen.
//
// A [Map] holds the [Peer]s, one for each scheme, host and port. A peer has endpoints,
// the addresses that stand for it, and links, which are one connection each. A request
// is a tag: it is queued, then assigned to a link, then committed, which is the last
// moment before a byte of it leaves. Until then it can move: to another endpoint when its
// connection fails or stalls, to a link that becomes free. From then on it is on that link alone.
//
//	m, err := peer.Open(client)
//	r := m.Go(req)            // returns at once; there is no goroutine for it
//	res, err := r.Wait(ctx)   // the whole response
//
// [Map.Do] waits; [Map.RoundTrip] gives a response whose body streams. Redirects,
// cookies and interceptors are the client's and do not apply here, and bodies are not
// decoded: what came is what there is.
//
// # Errors
//
// A status other than 2xx is an error, a [*StatusError], unless [AnyStatus] is given. What fails
// on the way is a *ratmom.Error, or one of the errors of this package, which errors.Is
// finds. After a failure to connect at all a peer is left alone for a time, as
// [Map.ClearError] tells.
//
// # What was revealed
//
// [Request.Revealed] is false as long as no byte of the request has left for a server.
// What making a connection gives away does not count: the server's name in TLS, the host
// and port of a CONNECT to a proxy.
package peer
