package oteltrace_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/oteltrace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	single grid.HandlerID = iota + 1
	stream
)

// pair are two servers, of which b has handlers that start a span.
func pair(t testing.TB, tracer trace.Tracer) (a, b *grid.Manager) {
	t.Helper()
	servers := map[string]*httptest.Server{}
	var peers []grid.Peer
	for _, name := range []string{"a", "b"} {
		servers[name] = httptest.NewUnstartedServer(nil)
		peers = append(peers, grid.Peer{Name: name, Addr: servers[name].Listener.Addr().String()})
	}
	managers := map[string]*grid.Manager{}
	for name, s := range servers {
		cfg := grid.Config{Self: name, Peers: peers}
		oteltrace.Configure(&cfg)
		m, err := grid.NewManager(cfg)
		require.NoError(t, err)
		s.Config.Handler = m.Handler()
		s.Start()
		t.Cleanup(func() {
			_ = m.Close()
			s.Close()
		})
		managers[name] = m
	}
	require.NoError(t, managers["b"].HandleSingle(single, func(ctx context.Context, _ *grid.Call) ([]byte, error) {
		_, span := tracer.Start(ctx, "served")
		defer span.End()
		return nil, nil
	}))
	require.NoError(t, managers["b"].HandleStream(stream, func(ctx context.Context, _ *grid.ServerStream) error {
		_, span := tracer.Start(ctx, "served")
		defer span.End()
		return nil
	}))
	return managers["a"], managers["b"]
}

func recorder() (*tracetest.SpanRecorder, trace.Tracer) {
	r := tracetest.NewSpanRecorder()
	return r, sdk.NewTracerProvider(sdk.WithSpanProcessor(r)).Tracer("test")
}

func TestConfigure_makes_the_handlers_span_a_child_of_the_callers(t *testing.T) {
	recorded, tracer := recorder()
	a, _ := pair(t, tracer)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := a.Connection("b")
	for name, ask := range map[string]func(context.Context) error{
		"a call": func(ctx context.Context) error {
			_, err := c.Request(ctx, single, nil, grid.WaitForReady())
			return err
		},
		"a stream": func(ctx context.Context) error {
			s, err := c.OpenStream(ctx, stream, nil, grid.WaitForReady())
			if err != nil {
				return err
			}
			if _, err = s.Recv(ctx); err == io.EOF {
				err = nil
			}
			return err
		},
	} {
		recorded.Reset()
		calling, span := tracer.Start(ctx, "calling")
		require.NoError(t, ask(calling), name)
		span.End()
		ended := recorded.Ended()
		require.Len(t, ended, 2, name)
		served, called := ended[0], ended[1]
		require.Equal(t, "served", served.Name())
		assert.Equal(t, called.SpanContext().TraceID(), served.SpanContext().TraceID(), name)
		assert.Equal(t, called.SpanContext().SpanID(), served.Parent().SpanID(), name)
		assert.True(t, served.Parent().IsRemote())
		assert.True(t, served.Parent().IsSampled())

		recorded.Reset()
		require.NoError(t, ask(ctx), "without a span")
		ended = recorded.Ended()
		require.Len(t, ended, 1, name)
		assert.False(t, ended[0].Parent().IsValid(), "a root")
	}
}

func TestFromContext_and_NewContext_are_inverse(t *testing.T) {
	_, tracer := recorder()
	ctx, span := tracer.Start(context.Background(), "x")
	defer span.End()
	sent, ok := oteltrace.FromContext(ctx)
	require.True(t, ok)
	got := trace.SpanContextFromContext(oteltrace.NewContext(context.Background(), sent))
	assert.Equal(t, span.SpanContext().WithRemote(true), got)
	again, ok := oteltrace.FromContext(oteltrace.NewContext(context.Background(), sent))
	assert.True(t, ok)
	assert.Equal(t, sent, again)

	_, ok = oteltrace.FromContext(context.Background())
	assert.False(t, ok)
	ctx = context.Background()
	assert.Equal(t, ctx, oteltrace.NewContext(ctx, grid.TraceContext{1}), "no span id")
}

func Example() {
	cfg := grid.Config{Self: "node-a"}
	oteltrace.Configure(&cfg)
	m, err := grid.NewManager(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = m.Close() }()
	err = m.HandleSingle(1, func(ctx context.Context, c *grid.Call) ([]byte, error) {
		// A span that is started with ctx is a child of the caller's.
		return c.Payload(), nil
	})
	fmt.Println(err)
	// Output: <nil>
}
