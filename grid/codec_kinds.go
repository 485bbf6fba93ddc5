package grid

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// msgpCodec is for types with the methods that tinylib/msgp generates.
type msgpCodec[T any] struct{ self self[T] }

func (c msgpCodec[T]) Append(b []byte, v T) ([]byte, error) {
	from, err := c.self.from(v)
	if err != nil {
		return b, err
	}
	return from.(selfMsgp).MarshalMsg(b)
}

func (c msgpCodec[T]) Decode(b []byte, into *T) error {
	rest, err := c.self.into(into).(selfMsgp).UnmarshalMsg(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes follow the value", len(rest))
	}
	return err
}

// binaryCodec is for types with the methods of package encoding.
type binaryCodec[T any] struct {
	self    self[T]
	appends bool
}

func (c binaryCodec[T]) Append(b []byte, v T) ([]byte, error) {
	from, err := c.self.from(v)
	if err != nil {
		return b, err
	}
	if c.appends {
		return from.(encoding.BinaryAppender).AppendBinary(b)
	}
	more, err := from.(encoding.BinaryMarshaler).MarshalBinary()
	return append(b, more...), err
}

func (c binaryCodec[T]) Decode(b []byte, into *T) error {
	return c.self.into(into).(encoding.BinaryUnmarshaler).UnmarshalBinary(b)
}

// bytesCodec is for types of bytes. A message is copied.
type bytesCodec[T any] struct{}

func (bytesCodec[T]) Append(b []byte, v T) ([]byte, error) {
	if v, ok := any(v).([]byte); ok {
		return append(b, v...), nil
	}
	return append(b, reflect.ValueOf(v).Bytes()...), nil
}

func (bytesCodec[T]) Decode(b []byte, into *T) error {
	if into, ok := any(into).(*[]byte); ok {
		*into = append((*into)[:0], b...)
		return nil
	}
	v := reflect.ValueOf(into).Elem()
	v.SetBytes(append(v.Bytes()[:0], b...))
	return nil
}

// stringCodec is for types of strings.
type stringCodec[T any] struct{}

func (stringCodec[T]) Append(b []byte, v T) ([]byte, error) {
	if v, ok := any(v).(string); ok {
		return append(b, v...), nil
	}
	return append(b, reflect.ValueOf(v).String()...), nil
}

func (stringCodec[T]) Decode(b []byte, into *T) error {
	if into, ok := any(into).(*string); ok {
		*into = string(b)
		return nil
	}
	reflect.ValueOf(into).Elem().SetString(string(b))
	return nil
}

// emptyCodec is for structs without fields, whose message is empty.
type emptyCodec[T any] struct{}

func (emptyCodec[T]) Append(b []byte, _ T) ([]byte, error) { return b, nil }

func (emptyCodec[T]) Decode(b []byte, _ *T) error {
	if len(b) > 0 {
		return fmt.Errorf("%d bytes where none are expected", len(b))
	}
	return nil
}

// formatCodec is for all others.
type formatCodec[T any] struct{ format Format }

func (c formatCodec[T]) Append(b []byte, v T) ([]byte, error) { return c.format.Append(b, v) }

func (c formatCodec[T]) Decode(b []byte, into *T) error { return c.format.Decode(b, into) }

// JSON is [UseFormat] with encoding/json.
func JSON() TypedOption { return UseFormat(jsonFormat{}) }

type jsonFormat struct{}

func (jsonFormat) Append(b []byte, v any) ([]byte, error) {
	more, err := json.Marshal(v)
	return append(b, more...), err
}

func (jsonFormat) Decode(b []byte, into any) error { return json.Unmarshal(b, into) }
