// Package client is the measured process: it runs one row with one peer and
// prints a [result.Result]. Each peer is a command of its own, so that none
// carries another's libraries in its memory.
package client

import "io"

// Options say how a peer is to be set up.
type Options struct {
	InFlight int    // requests at once: connection pools must hold as many
	CAFile   string // trust this one certificate authority; empty: no TLS
	HTTP2    bool   // HTTP/2 over TLS instead of HTTP/1.1
	HTTP3    bool   // HTTP/3
	Buffer   int    // the peer's receive buffer in bytes; 0: its default
	Fresh    bool   // a new connection for each request; TLS sessions may be resumed
	Stream   bool   // bodies are too large to be held whole
	FewConns bool   // open no more HTTP/2 connections than the streams need, if the peer does not by itself
	Agents   int    // how many cores the peer may use, if it has such a setting; 0: its default
}

// Peer is an HTTP client under measurement.
type Peer interface {
	// Get returns when the head is there. The caller reads the body to its end
	// and closes it.
	Get(url string) (status int, body io.ReadCloser, err error)
	Close() error
}

// Starter is a Peer that begins requests without a goroutine for each.
type Starter interface {
	Peer
	Start(url string) (wait func() (status int, body io.ReadCloser, err error))
}

// Putter is a Peer that sends bodies.
type Putter interface {
	Peer
	Put(url string, body io.Reader, size int64) (status int, answer io.ReadCloser, err error)
}
