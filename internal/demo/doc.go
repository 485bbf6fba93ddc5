// Package demo is the small server that the examples and the command line fetch
// from when they are given no URL: HTTP/1.1, and HTTP/2 in clear text, on a free
// port of the loopback interface.
package demo
