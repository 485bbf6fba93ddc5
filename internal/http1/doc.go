// Package http1 reads what HTTP/1.1 puts on a connection, as RFC 9112 writes it and in no other way: whatever two
// programs could read in two ways is an error. The server and pipelines of requests share it.
package http1
