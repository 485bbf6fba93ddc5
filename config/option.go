package config

import (
	"fmt"
	"io"
)

// ClientOption is an option that a client can have.
type ClientOption interface{ applyClient(*ClientConfig) error }

// RequestOption is an option that a single request can have.
type RequestOption interface {
	applyRequest(*RequestConfig) error
}

// Option is an option of a client, as the default of its requests, and of a
// single request, where it wins over the client's.
type Option interface {
	ClientOption
	RequestOption
}

type clientOption struct{ s setting }

func (o clientOption) applyClient(c *ClientConfig) error { return c.set.put(o.s) }

type requestOption struct{ s setting }

func (o requestOption) applyRequest(r *RequestConfig) error { return r.set.put(o.s) }

type option struct{ s setting }

func (o option) applyClient(c *ClientConfig) error   { return c.set.put(o.s) }
func (o option) applyRequest(r *RequestConfig) error { return r.set.put(o.s) }

// forClient makes an option that only a client can have.
func forClient(s setting) ClientOption { return clientOption{s} }

// forRequest makes an option that only a request can have.
func forRequest(s setting) RequestOption { return requestOption{s} }

// both makes an option for clients and requests.
func both(s setting) Option { return option{s} }

// All verbs print the same: reflection would otherwise find the secrets within.

// Format implements fmt.Formatter.
func (o clientOption) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, describe(o.s)) }

// Format implements fmt.Formatter.
func (o requestOption) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, describe(o.s)) }

// Format implements fmt.Formatter.
func (o option) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, describe(o.s)) }
