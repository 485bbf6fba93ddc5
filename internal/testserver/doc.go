// Package testserver holds the counterparts that the tests of this module talk
// to: servers and proxies inside the test process, real daemons beside it, and
// the certificates of both.
//
// # In the process
//
//   - [Start] runs an http.Handler as HTTP/1.1, HTTP/1.1 over TLS, HTTP/2 over
//     TLS or HTTP/2 in clear text; [Modes] runs one test over all four.
//   - [NewMock] is an HTTP/1.1 server that keeps every request as it stood on
//     the wire and answers as told.
//   - [Raw] plays a script on each TCP connection, byte for byte; [Frames] does
//     the same for the frames of HTTP/2.
//   - [StartProxy] and [StartSOCKS] are proxies that can refuse and fail.
//   - [Digest], [NTLM] and [Basic] are handlers that ask for credentials.
//
// # Beside it
//
// [Nginx], [Apache], [Squid], [Kerberos], [HAProxy], [Danted], [MicroSOCKS], [Nghttpd],
// [Nghttpx] and [Named] start real daemons on free loopback ports. A test whose daemon is not
// installed is skipped, or fails when the environment says
// RATMOM_REQUIRE_SERVERS=1.
//
// # Ends
//
// Whatever a test starts here ends with the test, before anything that the test
// registered earlier with Cleanup. Nothing here sleeps in order to wait:
// [Gate] and channels say when a server goes on. [CheckLeaks] is for TestMain.
package testserver
