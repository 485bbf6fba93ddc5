package ratmom

import (
	"context"
	"reflect"
)

// WaitAny waits until one of the futures is complete and returns its index. With
// several complete it returns the first. It returns -1 and ctx's error when ctx is
// done first; with no futures it waits for that.
func WaitAny(ctx context.Context, futures ...*Future) (int, error) {
	for i, f := range futures {
		select {
		case <-f.Done():
			return i, nil
		default:
		}
	}
	cases := make([]reflect.SelectCase, 0, len(futures)+1)
	for _, f := range futures {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(f.Done())})
	}
	cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())})
	if i, _, _ := reflect.Select(cases); i < len(futures) {
		return i, nil
	}
	return -1, context.Cause(ctx)
}

// WaitAll waits until all futures are complete, or ctx is done, whose error it
// returns then. How each ended is in its Result.
func WaitAll(ctx context.Context, futures ...*Future) error {
	for _, f := range futures {
		select {
		case <-f.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
