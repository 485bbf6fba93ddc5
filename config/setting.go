package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// A setting is the value of one option. Its dynamic type is its identity: a
// later setting of the same type replaces an earlier one, and one given with a
// request replaces the client's. Whatever else a setting can do it says by the
// small interfaces below, so that an option is complete in one file.
//
// A setting that holds a secret has a String method that masks it.
type setting interface {
	// validate reports a value that is out of range, naming the option.
	validate() error
}

// A loader reads files. It is called when the option is applied, before validate, and
// what it returns takes its place.
type loader interface{ load() (setting, error) }

// A checker must fit other settings; it is asked when all options were applied.
type checker interface{ check(settings) error }

// A requirer needs something that not every libcurl has.
type requirer interface {
	supported(*cgo.FeatureSet) error
}

// An accumulator adds to the setting of its own type that was there before
// (the client's, for one given with a request) instead of replacing it.
type accumulator interface{ after(prev setting) setting }

// An easyEncoder sets options of the easy handle, the same for every URL. The
// handle has libcurl's defaults, so a value that means the default needs none.
type easyEncoder interface{ encode(*cgo.Options) }

// A tlsEncoder sets options of the easy handle that matter only where TLS is
// spoken, to the server or to a proxy.
type tlsEncoder interface{ encodeTLS(*cgo.Options) }

// A targetEncoder sets options of the easy handle that depend on where the
// request goes, or on other settings.
type targetEncoder interface {
	encodeTarget(*cgo.Options, *RequestConfig, target)
}

// A multiEncoder sets options of the multi handle; only client options do.
type multiEncoder interface {
	encodeMulti(*cgo.MultiOptions, *ClientConfig)
}

// settings holds at most one setting of each type, in the order of first use.
type settings []setting

// put stores x over one of its type.
func (s *settings) put(x setting) error {
	if l, ok := x.(loader); ok {
		var err error
		if x, err = l.load(); err != nil {
			return err
		}
	}
	if err := x.validate(); err != nil {
		return err
	}
	s.place(x)
	return nil
}

func (s *settings) place(x setting) {
	t := reflect.TypeOf(x)
	for i, prev := range *s {
		if reflect.TypeOf(prev) == t {
			if a, ok := x.(accumulator); ok {
				x = a.after(prev)
			}
			(*s)[i] = x
			return
		}
	}
	*s = append(*s, x)
}

// check looks at what came out when all options were applied: accumulated values
// as a whole, and what this libcurl can do of it.
func (s settings) check(f *cgo.FeatureSet) error {
	for _, x := range s {
		if _, ok := x.(accumulator); ok {
			if err := x.validate(); err != nil {
				return err
			}
		}
		if q, ok := x.(requirer); ok {
			if err := q.supported(f); err != nil {
				return err
			}
		}
		if c, ok := x.(checker); ok {
			if err := c.check(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// find returns the setting of type T.
func find[T setting](s settings) (v T, ok bool) {
	for _, x := range s {
		if v, ok = x.(T); ok {
			return v, true
		}
	}
	return v, false
}

// describe returns a setting as text, "timeout(1s)".
func describe(x setting) string {
	name := reflect.TypeOf(x).String()
	name = name[strings.LastIndexByte(name, '.')+1:]
	value := fmt.Sprint(x)
	if !strings.HasPrefix(value, "{") {
		value = "{" + value + "}"
	}
	return name + value
}

func (s settings) String() string {
	parts := make([]string, len(s))
	for i, x := range s {
		parts[i] = describe(x)
	}
	return strings.Join(parts, " ")
}
