// Package server is an HTTP server side that takes pipelining seriously.
package server
