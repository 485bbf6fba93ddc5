// Package interop shows that grid/internal/ws understands other implementations of WebSocket, and is
// understood by them, in both roles, and measures it beside them. It has a module of its own, so that
// nobody else pays for what it depends on.
package interop
