package grid

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Codec turns values of one type into messages and back.
type Codec[T any] interface {
	// Append appends the message of v to b.
	Append(b []byte, v T) ([]byte, error)
	// Decode sets into, which may hold a value that is there to be used again. It must not
	// keep b, and must be prepared for anything in it.
	Decode(b []byte, into *T) error
}

// Format is a codec for values of many types, mostly by reflection.
type Format interface {
	// Append appends the message of v to b.
	Append(b []byte, v any) ([]byte, error)
	// Decode sets what into points to. It must not keep b, and must be prepared
	// for anything in it.
	Decode(b []byte, into any) error
}

// TypedOption is an option of [Single] and [Streaming].
type TypedOption interface{ applyTyped(*typedOptions) }

type typedOptions struct {
	codecs []any // Codec[T] of several T
	pools  []any // *Pool[T] of several T
	format Format
}

type typedOption func(*typedOptions)

func (f typedOption) applyTyped(o *typedOptions) { f(o) }

// UseCodec has values of type T written and read by c.
func UseCodec[T any](c Codec[T]) TypedOption {
	return typedOption(func(o *typedOptions) { o.codecs = append(o.codecs, c) })
}

// UseFormat has values written and read by f where their types say nothing themselves.
func UseFormat(f Format) TypedOption {
	return typedOption(func(o *typedOptions) { o.format = f })
}

// selfMsgp is the method set that tinylib/msgp generates, as far as it is needed: types
// with it are used without that package being one of ours.
type selfMsgp interface {
	MarshalMsg(b []byte) ([]byte, error)
	UnmarshalMsg(b []byte) ([]byte, error)
	Msgsize() int
}

// selfBinary is a type that writes and reads itself as package encoding has it.
type selfBinary interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

type selfBinaryAppender interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// codecOf chooses the codec of a type, in this order: the one given by UseCodec; the
// methods of tinylib/msgp; those of package encoding; bytes, strings and empty structs as they
// are; the format given by UseFormat.
func codecOf[T any](o *typedOptions) (Codec[T], error) {
	for _, c := range o.codecs {
		if c, ok := c.(Codec[T]); ok {
			return c, nil
		}
	}
	t := reflect.TypeFor[T]()
	self := selfOf[T](t)
	switch self.form.(type) {
	case selfMsgp:
		return msgpCodec[T]{self}, nil
	case selfBinaryAppender:
		return binaryCodec[T]{self, true}, nil
	case selfBinary:
		return binaryCodec[T]{self, false}, nil
	}
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return bytesCodec[T]{}, nil
	case t.Kind() == reflect.String:
		return stringCodec[T]{}, nil
	case t.Kind() == reflect.Struct && t.NumField() == 0:
		return emptyCodec[T]{}, nil
	case o.format != nil:
		return formatCodec[T]{o.format}, nil
	}
	return nil, fmt.Errorf("grid: %v has no form as a message: it needs the methods of msgp or of package encoding, or the option UseCodec or UseFormat", t)
}

// self finds what has the methods of a value that writes and reads itself: its
// address, or, if it is a pointer, the value itself.
type self[T any] struct {
	form any // of the right type, to look for methods
	from func(v T) (any, error)
	into func(v *T) any
}

func selfOf[T any](t reflect.Type) self[T] {
	if t.Kind() != reflect.Pointer {
		return self[T]{
			form: new(T),
			from: func(v T) (any, error) { return &v, nil },
			into: func(v *T) any { return v },
		}
	}
	var form T
	return self[T]{
		form: form,
		from: func(v T) (any, error) {
			if reflect.ValueOf(v).IsNil() {
				return nil, errNil
			}
			return v, nil
		},
		into: func(v *T) any {
			if p := reflect.ValueOf(v).Elem(); p.IsNil() {
				p.Set(reflect.New(t.Elem()))
			}
			return *v
		},
	}
}

var errNil = errors.New("a nil pointer has no message")

// encode appends v, and makes an error of a panic: a nil pointer is enough for one.
func encode[T any](c Codec[T], b []byte, v T) (_ []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.Append(b, v)
}

// decode reads all of b. Its error is never io.EOF, which would look like the
// end of a stream.
func decode[T any](c Codec[T], b []byte, into *T) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if err = c.Decode(b, into); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
