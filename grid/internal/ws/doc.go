// Package ws is the part of WebSocket (RFC 6455) that a grid needs: the opening handshake of both
// sides, binary messages, control frames, and no extensions. It allocates nothing per message.
//
// A Conn is read by one goroutine and written by one other. The reader never writes: pings and pongs
// are handed to the owner, who answers them when it writes next, and a close frame is the error
// *CloseError of Next or Read, to be answered with WriteClose.
//
// Lengths are checked before anything is read or allocated. What the other side does wrong is a
// *ProtocolError, which knows the code to close with; it stays, since what follows cannot be trusted.
package ws
