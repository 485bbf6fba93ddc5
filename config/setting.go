package config

import (
	"net/url"
	"reflect"

	"github.com/ratmom/ratmom/cgo"
)

// A setting is the value of one option. Its dynamic type is its identity: a
// later setting of the same type replaces an earlier one, and one given with a
// request replaces the client's. Whatever else a setting can do it says by the
// small interfaces below, so that an option is complete in one file.
type setting interface {
	// validate reports a value that is out of range, naming the option.
	validate() error
}

// An easyEncoder sets options of the easy handle, the same for every URL.
type easyEncoder interface{ encode(*cgo.Options) }

// A urlEncoder sets options of the easy handle that depend on the URL.
type urlEncoder interface {
	encodeURL(*cgo.Options, *url.URL) error
}

// A multiEncoder sets options of the multi handle; only client options do.
type multiEncoder interface{ encodeMulti(*cgo.MultiOptions) }

// An accumulator adds to the setting of its own type that was there before
// (the client's, for one given with a request) instead of replacing it.
type accumulator interface{ after(prev setting) setting }

// settings holds at most one setting of each type, in the order of first use.
type settings []setting

func (s settings) find(t reflect.Type) setting {
	for _, x := range s {
		if reflect.TypeOf(x) == t {
			return x
		}
	}
	return nil
}

// put stores x over one of its type; base is where an accumulator finds the
// previous value if s has none.
func (s *settings) put(x setting, base settings) error {
	t := reflect.TypeOf(x)
	if a, ok := x.(accumulator); ok {
		prev := s.find(t)
		if prev == nil {
			prev = base.find(t)
		}
		if prev != nil {
			x = a.after(prev)
		}
	}
	if err := x.validate(); err != nil {
		return err
	}
	for i := range *s {
		if reflect.TypeOf((*s)[i]) == t {
			(*s)[i] = x
			return nil
		}
	}
	*s = append(*s, x)
	return nil
}

// ClientOption is an option that only a client as a whole can have.
type ClientOption interface{ applyClient(*ClientConfig) error }

// RequestOption is an option that only a single request can have.
type RequestOption interface {
	applyRequest(*RequestConfig) error
}

// Option is an option of a client, as the default of its requests, and of a
// single request, where it overrides the client's.
type Option interface {
	ClientOption
	RequestOption
}

type clientOption struct{ s setting }

func (o clientOption) applyClient(c *ClientConfig) error { return c.set.put(o.s, nil) }

type requestOption struct{ s setting }

func (o requestOption) applyRequest(r *RequestConfig) error { return r.set.put(o.s, r.base) }

type option struct {
	clientOption
	requestOption
}

// both makes an option for clients and requests of s.
func both(s setting) Option { return option{clientOption{s}, requestOption{s}} }
