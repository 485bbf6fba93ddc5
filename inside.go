package ratmom

import (
	"context"
	"hash/maphash"
	"net"
	"net/http"
	"net/url"

	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/engine"
)

func init() {
	engine.Of = func(client any) engine.Client { return inside{client.(*Client)} }
}

// inside is a client as package peer sees it.
type inside struct{ c *Client }

func (i inside) Agents(origin string) []*agent.Handle {
	all := i.c.agents
	if len(all) == 1 {
		return all
	}
	at := maphash.String(i.c.seed, origin) % uint64(len(all))
	return append(append(make([]*agent.Handle, 0, len(all)), all[at:]...), all[:at]...)
}

func (i inside) Plan(opts []config.RequestOption) (*handler.Plan, error) {
	cfg, err := i.c.cfg.Request(opts...)
	if err != nil {
		return nil, wrapOption(err)
	}
	return handler.NewPlan(cfg, false), nil
}

func (i inside) Connect(ctx context.Context, u *url.URL, plan *handler.Plan) (net.Conn, error) {
	req := (&http.Request{Method: http.MethodConnect, URL: u, Header: http.Header{}}).WithContext(ctx)
	t, err := i.c.connect(req, plan, tunnelStraight)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (i inside) Closed() bool { return i.c.closed.Load() }
