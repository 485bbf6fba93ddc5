package config

import (
	"fmt"
	"io"
	"net/url"

	"github.com/ratmom/ratmom/cgo"
)

// ClientConfig holds the options of a client: those of the client as a whole,
// and the defaults of its requests. It does not change once made.
type ClientConfig struct {
	set      settings
	defaults *RequestConfig
	easy     cgo.Options // all settings, packed once
	tls      cgo.Options // those for TLS
	apart    apartness
}

// NewClient applies opts, in order, over [Defaults].
func NewClient(opts ...ClientOption) (*ClientConfig, error) {
	c := &ClientConfig{}
	for _, o := range Defaults() {
		if err := o.applyClient(c); err != nil {
			return nil, err
		}
	}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyClient(c); err != nil {
			return nil, err
		}
	}
	if err := c.set.check(cgo.Features()); err != nil {
		return nil, err
	}
	c.apart = c.set.apart()
	c.set.encode(&c.easy)
	c.set.encodeTLS(&c.tls)
	if err := c.easy.Err(); err != nil {
		return nil, err
	}
	if err := c.tls.Err(); err != nil {
		return nil, err
	}
	c.defaults = &RequestConfig{client: c, set: c.set, packed: true}
	c.defaults.settle()
	return c, c.defaults.packDirect()
}

// Multi packs the options of the multi handle of one of the client's agents.
func (c *ClientConfig) Multi() *cgo.MultiOptions {
	var o cgo.MultiOptions
	for _, s := range c.set {
		if m, ok := s.(multiEncoder); ok {
			m.encodeMulti(&o, c)
		}
	}
	o.MaxPaused(c.MaxPausedStreamsLimit())
	o.MaxLookups(c.maxLookups())
	return &o
}

// Defaults returns the configuration of a request without options of its own.
func (c *ClientConfig) Defaults() *RequestConfig { return c.defaults }

// Request merges the options of one request over the client's.
func (c *ClientConfig) Request(opts ...RequestOption) (*RequestConfig, error) {
	return c.defaults.With(opts...)
}

// Format implements fmt.Formatter: all verbs print the options, secrets masked.
func (c *ClientConfig) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "ClientConfig{"+c.set.String()+"}")
}

// RequestConfig holds what applies to one request: its own options over its
// client's. A setting that neither has is unset, which is not the same as zero.
// It does not change once made; several goroutines may use it.
type RequestConfig struct {
	client  *ClientConfig
	set     settings // the client's, the request's put over them
	targets []targetEncoder
	packed  bool // set is the client's: take what is packed there
	dial    dialContext
	apart   [places]bool // connections there are not shared with the client's other requests
	// Bodies that go in clear text are sent in larger pieces.
	clearUploads bool
	// What targets say for http and https, where no URL goes through a proxy and no
	// host has an entry in a netrc; nil where some may.
	direct []cgo.Options
}

// With returns r with opts put over it; r itself if there are none.
func (r *RequestConfig) With(opts ...RequestOption) (*RequestConfig, error) {
	if len(opts) == 0 {
		return r, nil
	}
	n := &RequestConfig{client: r.client, set: make(settings, len(r.set), len(r.set)+len(opts))}
	copy(n.set, r.set)
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.applyRequest(n); err != nil {
			return nil, err
		}
	}
	if err := n.set.check(cgo.Features()); err != nil {
		return nil, err
	}
	n.settle()
	return n, nil
}

// settle notes what follows from the settings.
func (r *RequestConfig) settle() {
	r.targets = r.set.targets()
	r.dial, _ = lookup[dialContext](r)
	_, given := lookup[uploadBufferSize](r)
	limit, _ := lookup[maxUploadSpeed](r)
	r.clearUploads = !given && limit == 0 && r.HTTPVersion() != HTTP2PriorKnowledge
	if !r.packed {
		mine := r.set.apart()
		r.apart = mine.differs(&r.client.apart)
	}
}

// Encode appends the options of an easy handle, fresh from its reset, for a
// request of u.
func (r *RequestConfig) Encode(o *cgo.Options, u *url.URL) error {
	t, err := r.targetOf(u)
	if err != nil {
		return err
	}
	r.encodeBase(o, t)
	r.encodeTarget(o, t)
	return o.Err()
}

// EncodeTarget appends only those options that depend on u, for a handle that has
// the others already.
func (r *RequestConfig) EncodeTarget(o *cgo.Options, u *url.URL) error {
	if r.direct != nil {
		o.Append(&r.direct[schemeIndex(u.Scheme)])
		return nil
	}
	t, err := r.targetOf(u)
	if err != nil {
		return err
	}
	r.encodeTarget(o, t)
	return o.Err()
}

// packDirect packs what depends on a URL by its scheme alone.
func (r *RequestConfig) packDirect() error {
	if file, _ := lookup[netrc](r); !r.Proxyless() || file.byHost() {
		return nil
	}
	direct := make([]cgo.Options, 2)
	for _, scheme := range []string{"http", "https"} {
		o := &direct[schemeIndex(scheme)]
		r.encodeTarget(o, target{url: &url.URL{Scheme: scheme}})
		if err := o.Err(); err != nil {
			return err
		}
	}
	r.direct = direct
	return nil
}

func schemeIndex(scheme string) int {
	if scheme == "https" {
		return 1
	}
	return 0
}

func (r *RequestConfig) encodeBase(o *cgo.Options, t target) {
	switch {
	case !r.packed:
		r.set.encode(o)
		if t.tls() {
			r.set.encodeTLS(o)
		}
	case t.tls():
		o.Append(&r.client.easy)
		o.Append(&r.client.tls)
	default:
		o.Append(&r.client.easy)
	}
}

func (r *RequestConfig) encodeTarget(o *cgo.Options, t target) {
	for _, e := range r.targets {
		e.encodeTarget(o, r, t)
	}
	r.encodeApart(o, t)
	r.encodeUploadBuffer(o, t)
	if r.dial.dialer != nil {
		r.dial.encodeDial(o, r, t)
	}
}

// Format implements fmt.Formatter: all verbs print the options, secrets masked.
func (r *RequestConfig) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "RequestConfig{"+r.set.String()+"}")
}

func (s settings) encode(o *cgo.Options) {
	for _, x := range s {
		if e, ok := x.(easyEncoder); ok {
			e.encode(o)
		}
	}
}

func (s settings) encodeTLS(o *cgo.Options) {
	for _, x := range s {
		switch e := x.(type) {
		case tlsEncoder:
			e.encodeTLS(o)
		case tlsEndEncoder:
			e.encodeEnd(tlsEnd{o, false})
		}
	}
}

func (s settings) targets() []targetEncoder {
	var list []targetEncoder
	for _, x := range s {
		if e, ok := x.(targetEncoder); ok {
			list = append(list, e)
		}
	}
	return list
}

// lookup returns the setting of type T: the request's, else the client's.
func lookup[T setting](r *RequestConfig) (T, bool) { return find[T](r.set) }

// lookupClient returns the client's setting of type T.
func lookupClient[T setting](c *ClientConfig) (T, bool) { return find[T](c.set) }
