package config

import (
	"fmt"
	"net/url"
	"reflect"

	"github.com/ratmom/ratmom/cgo"
)

// ClientConfig holds the options of a client: those of the client as a whole,
// and the defaults of its requests.
type ClientConfig struct {
	set  settings
	easy cgo.Options // all settings, packed once
}

// NewClient applies opts, in order, over the built-in defaults.
func NewClient(opts ...ClientOption) (*ClientConfig, error) {
	c := &ClientConfig{}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyClient(c); err != nil {
			return nil, err
		}
	}
	encode(&c.easy, c.set)
	return c, c.easy.Err()
}

// Multi packs the options of the multi handle.
func (c *ClientConfig) Multi() *cgo.MultiOptions {
	var o cgo.MultiOptions
	for _, s := range c.set {
		if m, ok := s.(multiEncoder); ok {
			m.encodeMulti(&o)
		}
	}
	return &o
}

// Defaults returns the configuration of a request without options of its own.
func (c *ClientConfig) Defaults() *RequestConfig { return &RequestConfig{base: c.set, client: c} }

// Request merges the options of one request over the client's.
func (c *ClientConfig) Request(opts ...RequestOption) (*RequestConfig, error) {
	r := c.Defaults()
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyRequest(r); err != nil {
			return nil, err
		}
	}
	encode(&r.easy, r.set)
	return r, r.easy.Err()
}

// RequestConfig holds what applies to one request: its own options over its
// client's. A setting that neither has is unset, which is not the same as zero.
type RequestConfig struct {
	base   settings
	set    settings
	client *ClientConfig
	easy   cgo.Options
}

// Encode appends the options of the easy handle for a request of u.
func (r *RequestConfig) Encode(o *cgo.Options, u *url.URL) error {
	o.Append(&r.client.easy)
	o.Append(&r.easy)
	for _, s := range r.base {
		if e, ok := s.(urlEncoder); ok && r.set.find(reflect.TypeOf(s)) == nil {
			if err := e.encodeURL(o, u); err != nil {
				return err
			}
		}
	}
	for _, s := range r.set {
		if e, ok := s.(urlEncoder); ok {
			if err := e.encodeURL(o, u); err != nil {
				return err
			}
		}
	}
	return o.Err()
}

func encode(o *cgo.Options, set settings) {
	for _, s := range set {
		if e, ok := s.(easyEncoder); ok {
			e.encode(o)
		}
	}
}

// lookup returns the setting of type T: the request's, else the client's.
func lookup[T setting](r *RequestConfig) (T, bool) {
	for _, set := range []settings{r.set, r.base} {
		for _, x := range set {
			if v, ok := x.(T); ok {
				return v, true
			}
		}
	}
	var zero T
	return zero, false
}

// lookupClient returns the client's setting of type T.
func lookupClient[T setting](c *ClientConfig) (T, bool) {
	for _, x := range c.set {
		if v, ok := x.(T); ok {
			return v, true
		}
	}
	var zero T
	return zero, false
}

// Value is a client option that carries a value of another package of this
// module; Lookup finds it by its type.
func Value[T any](v T) ClientOption { return clientOption{value[T]{v}} }

// Lookup returns the value that Value put into c.
func Lookup[T any](c *ClientConfig) (T, bool) {
	v, ok := lookupClient[value[T]](c)
	return v.v, ok
}

type value[T any] struct{ v T }

func (value[T]) validate() error { return nil }

// Error reports an option whose value is out of range.
type Error struct {
	Option string // the option's name as in the code: "Timeout"
	Value  any
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("config.%s(%v): %s", e.Option, e.Value, e.Reason)
}

func invalid(option string, value any, reason string) error {
	return &Error{Option: option, Value: value, Reason: reason}
}
