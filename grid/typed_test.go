package grid_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
)

// typedPair is two servers that are connected with each other, and a context for requests.
func typedPair(t *testing.T) (a, b *grid.Manager, ctx context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	n := gridtest.New(1)
	t.Cleanup(n.Close)
	peers := []grid.Peer{{Name: "a"}, {Name: "b"}}
	var managers []*grid.Manager
	for _, p := range peers {
		m, err := grid.NewManager(grid.Config{Self: p.Name, Peers: peers, Dial: n.Dialer(p.Name)})
		require.NoError(t, err)
		l, err := n.Listen(p.Name)
		require.NoError(t, err)
		server, served := &http.Server{Handler: m.Handler()}, make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(l)
		}()
		t.Cleanup(func() {
			_ = m.Close()
			_ = server.Close()
			<-served
		})
		managers = append(managers, m)
	}
	a, b = managers[0], managers[1]
	require.NoError(t, a.Connection("b").WaitReady(ctx))
	require.NoError(t, b.Connection("a").WaitReady(ctx))
	return a, b, ctx
}

// number is a value that cannot be written if it is negative, and not be read if it is odd.
type number int8

func (n number) AppendBinary(b []byte) ([]byte, error) {
	if n < 0 {
		return b, errors.New("negative")
	}
	return append(b, byte(n)), nil
}

func (n number) MarshalBinary() ([]byte, error) { return n.AppendBinary(nil) }

func (n *number) UnmarshalBinary(b []byte) error {
	if len(b) != 1 {
		return io.EOF
	}
	if b[0]%2 == 1 {
		return errors.New("odd")
	}
	*n = number(b[0])
	return nil
}

func wantCode(t *testing.T, err error, code grid.Code, remote bool, words string) grid.Sent {
	t.Helper()
	var e *grid.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, code, e.Code)
	assert.Equal(t, remote, e.Remote)
	assert.ErrorContains(t, err, words)
	return e.Sent
}

func TestSingle_brings_a_value_there_and_another_back(t *testing.T) {
	a, b, ctx := typedPair(t)
	route := grid.Single[string, time.Time](1)
	require.NoError(t, route.Register(b, func(_ context.Context, c *grid.Call, req string) (time.Time, error) {
		assert.Equal(t, "a", c.Peer())
		return time.Parse(time.RFC3339, req)
	}))
	require.ErrorIs(t, route.Register(b, nil), grid.ErrHandlerExists)
	got, err := route.Call(ctx, a.Connection("b"), "2026-01-02T03:04:05Z")
	require.NoError(t, err)
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), got)
	_, err = route.Call(ctx, a.Connection("b"), "yesterday")
	wantCode(t, err, grid.Application, true, "yesterday")
	// The same handler, called with bytes.
	raw, err := a.Connection("b").Request(ctx, 1, []byte("2026-01-02T03:04:05Z"))
	require.NoError(t, err)
	require.NoError(t, got.UnmarshalBinary(raw))
	_, err = route.Call(ctx, a.Connection("nobody"), "")
	assert.Equal(t, grid.NotSent, wantCode(t, err, grid.Disconnected, false, "not known"))
}

func TestSingle_says_on_the_right_side_what_cannot_be_read_or_written(t *testing.T) {
	a, b, ctx := typedPair(t)
	runs := 0
	route := grid.Single[number, number](1)
	require.NoError(t, route.Register(b, func(_ context.Context, _ *grid.Call, req number) (number, error) {
		runs++
		return req - 10, nil
	}))
	c := a.Connection("b")
	_, err := route.Call(ctx, c, -1)
	assert.Equal(t, grid.NotSent, wantCode(t, err, grid.InvalidMessage, false, "the request: negative"))
	_, err = route.Call(ctx, c, 1)
	wantCode(t, err, grid.InvalidMessage, true, "the request: odd")
	_, err = c.Request(ctx, 1, nil)
	wantCode(t, err, grid.InvalidMessage, true, "the request: unexpected EOF")
	assert.Zero(t, runs)
	_, err = route.Call(ctx, c, 8)
	wantCode(t, err, grid.Internal, true, "the response: negative")
	_, err = route.Call(ctx, c, 10)
	require.NoError(t, err)
	assert.Equal(t, 2, runs)

	require.NoError(t, b.HandleSingle(2, func(context.Context, *grid.Call) ([]byte, error) { return []byte{7}, nil }))
	_, err = grid.Single[number, number](2).Call(ctx, c, 2)
	assert.Equal(t, grid.MaybeExecuted, wantCode(t, err, grid.InvalidMessage, false, "the response: odd"))
}

func TestSingle_of_a_type_without_a_form_is_an_error_of_all_uses(t *testing.T) {
	a, b, ctx := typedPair(t)
	type formless struct{ A int }
	single := grid.Single[string, formless](1)
	require.ErrorContains(t, single.Register(b, nil), "grid_test.formless has no form")
	_, err := single.Call(ctx, a.Connection("b"), "")
	wantCode(t, err, grid.InvalidMessage, false, "grid_test.formless has no form")
	stream := grid.Streaming[formless, struct{}, formless](1)
	require.ErrorContains(t, stream.Register(b, nil), "grid_test.formless has no form")
	_, err = stream.Open(ctx, a.Connection("b"), formless{})
	wantCode(t, err, grid.InvalidMessage, false, "grid_test.formless has no form")
	for _, err := range stream.All(ctx, a.Connection("b"), formless{}) {
		wantCode(t, err, grid.InvalidMessage, false, "grid_test.formless has no form")
	}
}

func TestSub_tells_routes_of_one_id_apart(t *testing.T) {
	a, b, ctx := typedPair(t)
	single := grid.Single[string, string](1)
	stream := grid.Streaming[string, struct{}, string](2)
	for _, name := range []string{"", "x", "y"} {
		r, s := single, stream
		if name != "" {
			r, s = single.Sub(name), stream.Sub(name)
		}
		require.NoError(t, r.Register(b, func(_ context.Context, _ *grid.Call, req string) (string, error) {
			return name + req, nil
		}))
		require.NoError(t, s.Register(b, func(ctx context.Context, st *grid.TypedServerStream[struct{}, string], req string) error {
			return st.Send(ctx, name+req)
		}))
	}
	require.ErrorIs(t, single.Sub("x").Register(b, nil), grid.ErrHandlerExists)
	c := a.Connection("b")
	for _, name := range []string{"x", "y"} {
		got, err := single.Sub(name).Call(ctx, c, "1", grid.WaitForReady())
		require.NoError(t, err)
		assert.Equal(t, name+"1", got)
		for got, err := range stream.Sub(name).All(ctx, c, "2") {
			require.NoError(t, err)
			assert.Equal(t, name+"2", got)
		}
	}
	got, err := single.Call(ctx, c, "1")
	require.NoError(t, err)
	assert.Equal(t, "1", got)
	_, err = single.Sub("z").Call(ctx, c, "1")
	wantCode(t, err, grid.UnknownHandler, true, "")
}

func TestReuse_gives_back_what_a_handler_was_given_and_what_it_returned(t *testing.T) {
	a, b, ctx := typedPair(t)
	type value struct{ Text string }
	made := 0
	pool := grid.NewPool(func() *value { made++; return &value{} }, func(v *value) { *v = value{} })
	route := grid.Single[*value, *value](1, grid.JSON(), grid.Reuse(pool))
	var kept []*value
	require.NoError(t, route.Register(b, func(_ context.Context, _ *grid.Call, req *value) (*value, error) {
		kept = append(kept, req)
		if req.Text == "itself" {
			return req, nil
		}
		resp := pool.Get()
		kept = append(kept, resp)
		resp.Text = req.Text + "!"
		return resp, nil
	}))
	for _, text := range []string{"a", "itself", "b"} {
		// The caller has no pool, or would be given what the handler has put back.
		got, err := grid.Single[*value, *value](1, grid.JSON()).Call(ctx, a.Connection("b"), &value{text})
		require.NoError(t, err)
		assert.Contains(t, []string{text, text + "!"}, got.Text)
	}
	// The answer may be here before the handler's values are back.
	require.Eventually(t, func() bool {
		for _, h := range b.Snapshot().Handlers {
			if h.Running > 0 {
				return false
			}
		}
		return true
	}, 30*time.Second, time.Millisecond)
	for _, v := range kept {
		assert.Empty(t, v.Text, "was put back")
	}
	// A value that is put back once is not given out twice.
	seen := map[*value]bool{}
	for range 10 {
		v := pool.Get()
		assert.False(t, seen[v])
		seen[v] = true
	}
	assert.Positive(t, made)
}

func TestStreaming_goes_both_ways(t *testing.T) {
	a, b, ctx := typedPair(t)
	type add struct{ N int }
	plain := grid.Streaming[string, add, int64](1, grid.JSON())
	for _, route := range []*grid.StreamRoute[string, add, int64]{plain, plain.Sub("a route")} {
		require.NoError(t, route.Register(b, func(ctx context.Context, s *grid.TypedServerStream[add, int64], payload string) error {
			assert.Equal(t, "sum", payload)
			assert.Equal(t, "a", s.Peer())
			sum := int64(0)
			for v, err := range s.All(ctx) {
				if err != nil {
					return err
				}
				sum += int64(v.N)
				if err := s.Send(ctx, sum); err != nil {
					return err
				}
			}
			return nil
		}))
		s, err := route.Open(ctx, a.Connection("b"), "sum")
		require.NoError(t, err)
		sent := make(chan error, 1)
		go func() { sent <- s.SendAll(ctx, slices.Values(make([]add, 500))) }()
		var got []int64
		for v, err := range s.All(ctx) {
			require.NoError(t, err)
			got = append(got, v)
		}
		require.NoError(t, <-sent)
		assert.Equal(t, make([]int64, 500), got)

		s, err = route.Open(ctx, a.Connection("b"), "sum")
		require.NoError(t, err)
		require.NoError(t, s.Send(ctx, add{math.MaxInt32}))
		var v int64
		require.NoError(t, s.RecvInto(ctx, &v))
		assert.EqualValues(t, math.MaxInt32, v)
		require.NoError(t, s.CloseSend())
		require.Equal(t, io.EOF, s.RecvInto(ctx, &v))
	}
}

func TestStreaming_ends_on_the_other_side_when_a_loop_is_left(t *testing.T) {
	a, b, ctx := typedPair(t)
	ended := make(chan error, 1)
	route := grid.Streaming[struct{}, struct{}, string](1)
	require.NoError(t, route.Register(b, func(ctx context.Context, s *grid.TypedServerStream[struct{}, string], _ struct{}) error {
		for {
			if err := s.Send(ctx, "again"); err != nil {
				ended <- ctx.Err()
				return err
			}
		}
	}))
	n := 0
	for v, err := range route.All(ctx, a.Connection("b"), struct{}{}) {
		require.NoError(t, err)
		assert.Equal(t, "again", v)
		if n++; n == 3 {
			break
		}
	}
	select {
	case err := <-ended:
		assert.ErrorIs(t, err, context.Canceled)
	case <-ctx.Done():
		t.Fatal("the handler goes on")
	}
}

func TestStreaming_says_on_the_right_side_what_cannot_be_read_or_written(t *testing.T) {
	a, b, ctx := typedPair(t)
	route := grid.Streaming[number, number, number](1)
	require.NoError(t, route.Register(b, func(ctx context.Context, s *grid.TypedServerStream[number, number], payload number) error {
		for v, err := range s.All(ctx) {
			if err != nil {
				return nil // does not care
			}
			_ = s.Send(ctx, v-10)
		}
		return nil
	}))
	c := a.Connection("b")
	open := func() *grid.TypedClientStream[number, number] {
		s, err := route.Open(ctx, c, 2)
		require.NoError(t, err)
		return s
	}
	_, err := route.Open(ctx, c, -2)
	wantCode(t, err, grid.InvalidMessage, false, "negative")
	s, err := route.Open(ctx, c, 3)
	require.NoError(t, err)
	_, err = s.Recv(ctx)
	wantCode(t, err, grid.InvalidMessage, true, "the payload: odd")

	s = open()
	wantCode(t, s.Send(ctx, -2), grid.InvalidMessage, false, "negative")
	require.NoError(t, s.Send(ctx, 12))
	v, err := s.Recv(ctx)
	require.NoError(t, err)
	assert.Equal(t, number(2), v)
	require.NoError(t, s.Send(ctx, 3))
	_, err = s.Recv(ctx)
	wantCode(t, err, grid.InvalidMessage, true, "a message: odd")

	s = open()
	require.NoError(t, s.Send(ctx, 8))
	require.NoError(t, s.CloseSend())
	_, err = s.Recv(ctx)
	wantCode(t, err, grid.Internal, true, "a message of the handler: negative")

	ended := make(chan struct{})
	require.NoError(t, b.HandleStream(2, func(ctx context.Context, s *grid.ServerStream) error {
		defer close(ended)
		if err := s.Send(ctx, []byte{7}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}))
	s, err = grid.Streaming[number, number, number](2).Open(ctx, c, 2)
	require.NoError(t, err)
	for range 2 {
		_, err = s.Recv(ctx)
		wantCode(t, err, grid.InvalidMessage, false, "a message: odd")
	}
	select {
	case <-ended:
	case <-ctx.Done():
		t.Fatal("the handler goes on")
	}
}
