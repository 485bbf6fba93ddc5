package msgptest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
	"github.com/ratmom/ratmom/grid/msgpack"
)

// patience is how long anything may take on a loaded machine.
const patience = 30 * time.Second

// start makes two servers that know each other.
func start(t *testing.T) (a, b *grid.Manager) {
	t.Helper()
	n := gridtest.New(1)
	t.Cleanup(n.Close)
	peers := []grid.Peer{{Name: "a"}, {Name: "b"}}
	managers := map[string]*grid.Manager{}
	for _, p := range peers {
		m, err := grid.NewManager(grid.Config{Self: p.Name, Peers: peers, Dial: n.Dialer(p.Name)})
		require.NoError(t, err)
		l, err := n.Listen(p.Name)
		require.NoError(t, err)
		server := &http.Server{Handler: m.Handler()}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = server.Serve(l)
		}()
		t.Cleanup(func() {
			_ = m.Close()
			_ = server.Close()
			<-done
		})
		managers[p.Name] = m
	}
	return managers["a"], managers["b"]
}

func entry(i int) Entry {
	return Entry{
		Name: "name", Size: int64(i), Changed: time.Unix(int64(i), 0), Share: 0.5, Deleted: i%2 == 0,
		Tags: map[string]string{"a": "b"}, Parts: []Part{{Number: 1, Hash: [4]byte{1}}}, Sum: []byte{byte(i)},
	}
}

// calls sends a value there and back.
func calls[T any](t *testing.T, id grid.HandlerID, v T, opts ...grid.TypedOption) {
	t.Helper()
	a, b := start(t)
	route := grid.Single[T, T](id, opts...)
	require.NoError(t, route.Register(b, func(_ context.Context, c *grid.Call, req T) (T, error) {
		assert.Equal(t, "a", c.Peer())
		assert.Equal(t, v, req)
		return req, nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := route.Call(ctx, a.Connection("b"), v, grid.WaitForReady())
	require.NoError(t, err)
	assert.Equal(t, v, got)
}

func TestGenerated_types_travel_in_calls(t *testing.T) {
	value := entry(1)
	calls(t, 1, value)
	calls(t, 1, &value)
	calls(t, 1, Part{Number: 7})
	calls(t, 1, Names{"a", "b"})
	calls(t, 1, Headers{"a": {"b", "c"}})
}

// file has no generated methods.
type file struct {
	Name  string
	Parts []struct{ N int }
}

func TestMsgpack_carries_types_without_methods(t *testing.T) {
	value := file{Name: "x", Parts: []struct{ N int }{{1}, {2}}}
	calls(t, 1, value, grid.UseFormat(msgpack.Format{}))
	calls(t, 1, &value, grid.UseFormat(msgpack.Format{Arrays: true}))
}

func TestGenerated_types_travel_in_streams(t *testing.T) {
	a, b := start(t)
	route := grid.Streaming[Names, *Part, Entry](1)
	require.NoError(t, route.Register(b, func(ctx context.Context, s *grid.TypedServerStream[*Part, Entry], names Names) error {
		assert.Equal(t, Names{"x"}, names)
		for part, err := range s.All(ctx) {
			if err != nil {
				return err
			}
			if err := s.Send(ctx, entry(int(part.Number))); err != nil {
				return err
			}
		}
		return nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, a.Connection("b").WaitReady(ctx))
	s, err := route.Open(ctx, a.Connection("b"), Names{"x"})
	require.NoError(t, err)
	sent := make(chan error, 1)
	parts := make([]*Part, 100)
	for i := range parts {
		parts[i] = &Part{Number: uint32(i)}
	}
	go func() { sent <- s.SendAll(ctx, slices.Values(parts)) }()
	for i := range parts {
		got, err := s.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, entry(i), got)
	}
	_, err = s.Recv(ctx)
	require.Equal(t, io.EOF, err)
	require.NoError(t, <-sent)
}

func TestGenerated_types_refuse_broken_messages_on_the_side_that_reads(t *testing.T) {
	a, b := start(t)
	require.NoError(t, grid.Single[Entry, Entry](1).Register(b, func(context.Context, *grid.Call, Entry) (Entry, error) {
		return Entry{}, errors.New("not to be reached")
	}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := a.Connection("b").Request(ctx, 1, []byte{0xc1}, grid.WaitForReady())
	var e *grid.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, grid.InvalidMessage, e.Code)
	assert.True(t, e.Remote)
}
