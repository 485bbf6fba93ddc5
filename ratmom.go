package ratmom

import (
	"hash/maphash"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ratmom/ratmom/agent"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/altsvc"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/hsts"
	"github.com/ratmom/ratmom/internal/workers"
	"github.com/ratmom/ratmom/retry"
)

// Version is the version of this module.
const Version = handler.Version

// Client sends requests. It is safe for concurrent use; make one and keep it: it
// owns the connections. Close it when it is no longer needed. A Client that is
// garbage collected without Close ends its agents too, once no response body is
// open and no future is held.
type Client struct {
	cfg    *config.ClientConfig
	agents []*agent.Handle
	plan   *handler.Plan // of requests without options of their own
	bare   *handler.Plan // the same, for Transport
	chain  interceptors
	pinned bool // an origin stays on one agent
	seed   maphash.Seed
	work   workers.Pool
	open   tunnels
	logs   sync.WaitGroup // config.WireLog's functions at work
	saying sync.RWMutex   // held to add to them beside the agents; and to close
	budget *retry.Budget  // of repeats; nil: no bound
	paces  paces          // of origins, for hedges
	pauses pauses         // exchanges that wait before a repeat
	hsts   *hsts.Cache    // nil: off
	alts   *altsvc.Cache  // nil: off
	closed atomic.Bool
	once   sync.Once
}

// New makes a client. opts are its own settings and the defaults of its requests.
// It returns an error if an option is out of range or asks for what this libcurl
// does not have.
func New(opts ...config.ClientOption) (*Client, error) {
	cfg, err := config.NewClient(opts...)
	if err != nil {
		return nil, wrapOption(err)
	}
	c := &Client{cfg: cfg, seed: maphash.MakeSeed()}
	c.plan = handler.NewPlan(cfg.Defaults(), false)
	c.bare = handler.NewPlan(cfg.Defaults(), true)
	c.chain, _ = config.Lookup[interceptors](cfg)
	c.pinned = cfg.LimitsPerHost()
	var given bool
	if c.budget, given = cfg.RetryBudget(); !given {
		c.budget, _ = retry.NewBudget(0, 0, 0) // the defaults are in range
	}
	if err := c.openCaches(); err != nil {
		return nil, err
	}
	for range cfg.AgentCount() {
		a, err := agent.Start(cfg.Multi())
		if err != nil {
			for _, a := range c.agents {
				a.Close()
			}
			return nil, err
		}
		c.agents = append(c.agents, a)
	}
	return c, nil
}

func wrapOption(err error) error {
	if _, ok := err.(*failure.Error); ok {
		return err
	}
	k := failure.InvalidOption
	if e, ok := err.(*config.Error); ok {
		k = e.Kind
	}
	return failure.Wrap(k, err)
}

// Send sends req and blocks until the final response head is there. opts override
// the client's defaults for this request. The caller must close the body.
//
// It returns an *Error; a response with any status is not an error.
func (c *Client) Send(req *http.Request, opts ...config.RequestOption) (*Response, error) {
	x, err := c.newExchange(req, c.plan, opts)
	if err != nil {
		return nil, err
	}
	return x.blocking()
}

// SendAsync sends req and returns at once. The future completes when the final
// response head is there. No goroutine is made for it, unless an interceptor or a
// hook of the caller's has to run.
func (c *Client) SendAsync(req *http.Request, opts ...config.RequestOption) *Future {
	x, err := c.newExchange(req, c.plan, opts)
	if err != nil {
		return failedFuture(err)
	}
	return x.async()
}

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() {
	for _, a := range c.agents {
		a.CloseIdle()
	}
}

// Close ends the client: new requests are refused, those under way fail with
// ErrClosed, open bodies and tunnels too, and every connection is closed. It blocks until the
// agents have ended and a config.WireLog has been told everything; it must not be
// called from there. Further calls do nothing. It returns an error only if a file of
// config.HSTS or config.AltSvc could not be written.
func (c *Client) Close() (err error) {
	c.saying.Lock()
	c.closed.Store(true)
	c.saying.Unlock()
	c.once.Do(func() {
		c.open.close()
		c.pauses.close()
		var wg sync.WaitGroup
		for _, a := range c.agents {
			wg.Go(a.Close)
		}
		wg.Wait()
		c.logs.Wait()
		err = c.saveCaches()
	})
	return err
}

// Stats is a snapshot of a client's work.
type Stats struct {
	Requests int // handed to libcurl and not ended
	// Agents has the counters of each agent.
	Agents []agent.Stats
}

// Stats returns the client's counters.
func (c *Client) Stats() Stats {
	var s Stats
	for _, a := range c.agents {
		as := a.Stats()
		s.Requests += as.Requests
		s.Agents = append(s.Agents, as)
	}
	return s
}

// pick chooses the agent for u: by origin, so that connections are shared; where
// requests share no connection anyway, by load.
func (c *Client) pick(u *url.URL) *agent.Handle {
	if len(c.agents) == 1 {
		return c.agents[0]
	}
	if c.pinned || u.Scheme == "https" && !c.plan.HTTP1 || c.plan.PriorKnowledge {
		h := maphash.String(c.seed, u.Scheme+"://"+strings.ToLower(u.Host))
		return c.agents[h%uint64(len(c.agents))]
	}
	best := c.agents[0]
	for _, a := range c.agents[1:] {
		if a.Load() < best.Load() {
			best = a
		}
	}
	return best
}
