package ratmom

import (
	"context"
	"reflect"
	"strconv"

	"github.com/ratmom/ratmom/internal/failure"
)

// maxSelect is how many channels one select takes, in package reflect.
const maxSelect = 1 << 16

// WaitAny waits until one of the futures is complete and returns its index. With
// several complete it returns the first. It returns -1 and ctx's error when ctx is
// done first; with no futures it waits for that. A nil future, or a nil context, is
// ErrInvalidRequest.
func WaitAny(ctx context.Context, futures ...*Future) (int, error) {
	if err := canWait(ctx, futures); err != nil {
		return -1, err
	}
	return waitAny(ctx, futures)
}

var errNilContext = failure.New(failure.InvalidRequest, "nil context")

func canWait(ctx context.Context, futures []*Future) error {
	if ctx == nil {
		return errNilContext
	}
	for i, f := range futures {
		if f == nil || f.s == nil {
			return failure.New(failure.InvalidRequest, "future "+strconv.Itoa(i)+" is nil")
		}
	}
	return nil
}

func waitAny(ctx context.Context, futures []*Future) (int, error) {
	for i, f := range futures {
		select {
		case <-f.Done():
			return i, nil
		default:
		}
	}
	if len(futures) >= maxSelect {
		return waitAnyOfMany(ctx, futures)
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

// waitAnyOfMany waits for parts of futures, each on a goroutine.
func waitAnyOfMany(ctx context.Context, futures []*Future) (int, error) {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	const part = maxSelect / 2
	found := make(chan int, len(futures)/part+1)
	for from := 0; from < len(futures); from += part {
		go func() {
			i, err := waitAny(inner, futures[from:min(from+part, len(futures))])
			if err == nil {
				found <- from + i
			}
		}()
	}
	select {
	case i := <-found:
		return i, nil
	case <-ctx.Done():
		return -1, context.Cause(ctx)
	}
}

// WaitAll waits until all futures are complete, or ctx is done, whose error it
// returns then. How each ended is in its Result. A nil future, or a nil context, is
// ErrInvalidRequest.
func WaitAll(ctx context.Context, futures ...*Future) error {
	if err := canWait(ctx, futures); err != nil {
		return err
	}
	for _, f := range futures {
		select {
		case <-f.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
