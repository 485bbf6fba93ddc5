// Package oteltrace carries the trace context of OpenTelemetry along with the requests of a grid: a span
// that a handler starts is a child of the one that the caller was in, on the other server. It is a module of its
// own, so that the grid does not depend on OpenTelemetry.
//
//	cfg := grid.Config{Self: "node-a", Peers: peers}
//	oteltrace.Configure(&cfg)
//	m, err := grid.NewManager(cfg)
//
// It starts no spans and needs no SDK. What is carried is the trace id, the span id and the flags of W3C
// Trace Context; the trace state and baggage are not.
package oteltrace

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/ratmom/ratmom/grid"
)

// Configure has the manager that is made of cfg send the trace context of callers and give what is received to
// handlers.
func Configure(cfg *grid.Config) {
	cfg.Trace, cfg.ContextWithTrace = FromContext, NewContext
}

// FromContext is the trace context of the span in ctx; false if there is none.
func FromContext(ctx context.Context) (t grid.TraceContext, ok bool) {
	s := trace.SpanContextFromContext(ctx)
	if !s.IsValid() {
		return t, false
	}
	traceID, spanID := s.TraceID(), s.SpanID()
	copy(t[:16], traceID[:])
	copy(t[16:24], spanID[:])
	t[24] = byte(s.TraceFlags())
	return t, true
}

// NewContext is ctx with the span of the caller as the remote one: the parent of the next span that is started.
// A trace context that is not valid is left out.
func NewContext(ctx context.Context, t grid.TraceContext) context.Context {
	s := SpanContext(t)
	if !s.IsValid() {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, s)
}

// SpanContext is the caller's span.
func SpanContext(t grid.TraceContext) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(t[:16]), SpanID: trace.SpanID(t[16:24]), TraceFlags: trace.TraceFlags(t[24]), Remote: true,
	})
}
