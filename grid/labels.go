package grid

import (
	"context"
	"runtime/pprof"
	"strconv"
)

// Labels that profiles have of the goroutines of handlers.
const (
	labelHandler = "grid.handler"
	labelPeer    = "grid.peer"
)

// labelled is the context with the labels of a handler that works for the peer. There is one for each pair of
// them, so that they cost a call nothing.
func (c *Connection) labelled(h *handler) context.Context {
	if ctx, ok := c.labels.Load(h); ok {
		return ctx.(context.Context)
	}
	ctx := pprof.WithLabels(context.Background(), pprof.Labels(labelHandler, h.title(), labelPeer, c.name))
	c.labels.Store(h, ctx)
	return ctx
}

// unlabelled takes the labels off a goroutine that works for nobody in particular.
func unlabelled() { pprof.SetGoroutineLabels(context.Background()) }

// title is what the handler is called in profiles.
func (h *handler) title() string {
	switch id := strconv.Itoa(int(h.id)); {
	case h.name != "":
		return h.name
	case h.subroute != "":
		return id + " " + h.subroute
	default:
		return id
	}
}
