// Package hello opens a session of a grid: it says who is at each end of a WebSocket, and has both
// prove it, before anything else is sent.
//
//	acceptor  HELLO    its versions, name, instance and nonce; it comes with the answer to the upgrade
//	dialer    HELLO    the version, its name, instance, nonce and parameters, and its proof
//	acceptor  WELCOME  its parameters, and its proof
//
// The acceptor's first message is what makes each proof a fresh one without a further round trip.
// Whoever is not content sends GOAWAY with a reason in place of its next message, and closes.
package hello
