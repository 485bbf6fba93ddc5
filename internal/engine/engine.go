// Package engine is how package peer reaches what is inside a client: its agents, and
// the plans that its options make.
package engine

import (
	"context"
	"net"
	"net/url"

	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
)

// Client is the inside of a client.
type Client interface {
	// Agents are all agents, those for an origin in an order that is always the same.
	Agents(origin string) []*agent.Handle
	// Plan merges options with the client's own.
	Plan(opts []config.RequestOption) (*handler.Plan, error)
	// Connect makes a connection of the caller's own to the host of u, within TLS if u is an https URL.
	Connect(ctx context.Context, u *url.URL, plan *handler.Plan) (net.Conn, error)
	// Closed reports whether the client has been closed.
	Closed() bool
}

// Of gives the inside of a *ratmom.Client. Package ratmom sets it.
var Of func(client any) Client
