package grid

import (
	"context"
	"reflect"
)

// waits says what else ends a wait of a stream than the stream. The channel of a context is asked for only
// by who has to wait: a handler's context with a deadline is made then.
type waits struct {
	ctx     context.Context
	forever bool // the end of ctx ends the stream, which wakes everybody
}

func (w waits) done() <-chan struct{} {
	if w.forever {
		return nil
	}
	return w.ctx.Done()
}

// sameContext reports whether two contexts are known to be one. Those that are no pointers may be of a type that
// cannot be compared, and are not: package context has only those so that never end.
func sameContext(a, b context.Context) bool {
	return reflect.TypeOf(a).Kind() == reflect.Pointer && a == b
}
