package grid

import "context"

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
