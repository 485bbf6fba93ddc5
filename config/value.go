package config

import "fmt"

// Value is a client option that carries a value of another package of this
// module; Lookup finds it by its type. A T with a method After(T) T adds up: it
// is called with the value given before. T must not hold secrets that it prints.
func Value[T any](v T) ClientOption { return forClient(value[T]{v}) }

// Lookup returns the value that Value put into c.
func Lookup[T any](c *ClientConfig) (T, bool) {
	v, ok := lookupClient[value[T]](c)
	return v.v, ok
}

type value[T any] struct{ v T }

func (value[T]) validate() error { return nil }

func (v value[T]) String() string { return fmt.Sprintf("%T", v.v) }

func (v value[T]) after(prev setting) setting {
	if a, ok := any(v.v).(interface{ After(T) T }); ok {
		v.v = a.After(prev.(value[T]).v)
	}
	return v
}
