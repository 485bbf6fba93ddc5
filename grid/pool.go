package grid

import "sync"

// Pool keeps values to be used again. It is safe for concurrent use.
type Pool[T any] struct {
	pool  sync.Pool
	fresh func() T
	reset func(T)
}

// NewPool makes a pool whose values are made by fresh and, before they are used
// again, passed to reset. T should be a pointer. What is left in a value by reset
// may be seen by those who decode into it: most codecs leave alone what a message does not name.
func NewPool[T any](fresh func() T, reset func(T)) *Pool[T] {
	return &Pool[T]{fresh: fresh, reset: reset}
}

// Get gives a value that nobody else has.
func (p *Pool[T]) Get() T {
	if v, ok := p.pool.Get().(T); ok {
		return v
	}
	return p.fresh()
}

// Put takes a value back that nobody uses any more.
func (p *Pool[T]) Put(v T) {
	p.reset(v)
	p.pool.Put(v)
}

// Reuse has values of type T come from a pool where they are decoded. What a single
// request's handler was given goes back when it returns, and so does its
// response when it has been encoded: it must keep neither. Everybody else puts
// values back, or not, as they like.
func Reuse[T any](p *Pool[T]) TypedOption {
	return typedOption(func(o *typedOptions) { o.pools = append(o.pools, p) })
}

func poolOf[T any](o *typedOptions) *Pool[T] {
	for _, p := range o.pools {
		if p, ok := p.(*Pool[T]); ok {
			return p
		}
	}
	return nil
}
