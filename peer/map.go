package peer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/engine"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/workers"
	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

// Map is the peers that a client talks to. It is safe for concurrent use. Close it, and then
// the client.
type Map struct {
	client  *ratmom.Client
	inside  engine.Client
	opt     options
	work    workers.Pool
	lookups workers.Pool
	ctx     context.Context // of lookups
	stop    context.CancelFunc
	closed  atomic.Bool

	lastCheck atomic.Uint64
	met       met

	mu      sync.RWMutex
	checker *health.Checker // nil: there is nothing to check
	peers   registry        // by identity without the proxy, which follows from the rest
	making  map[ID]*making
}

// Open makes a map over a client, whose agents and options it uses. The client's own
// requests share no connection with those of the map.
func Open(client *ratmom.Client, opts ...Option) (*Map, error) {
	if client == nil {
		return nil, failure.New(failure.InvalidOption, "peer.Open needs a client")
	}
	m := &Map{client: client, inside: engine.Of(client), opt: defaults(), peers: registry{byID: make(map[ID]*entry)}, met: newMet(), making: make(map[ID]*making)}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o(&m.opt); err != nil {
			return nil, err
		}
	}
	m.lookups.Limit = maxLookups
	m.ctx, m.stop = context.WithCancel(context.Background())
	if _, err := m.inside.Plan(m.opt.requests); err != nil {
		m.stop()
		return nil, err
	}
	return m, nil
}

// maxLookups is how many resolvers run at once. They may wait for servers that do not answer, so
// that a few are not enough.
const maxLookups = 64

// Get returns the peer that rawURL is for, made if it is not there yet. Nothing is sent.
func (m *Map) Get(rawURL string) (*Peer, error) {
	u, err := failure.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	return m.get(u, "")
}

// GetProfile is Get for the peer of a [Profile]. Requests on its pins and links need not name the profile.
func (m *Map) GetProfile(rawURL, profile string) (*Peer, error) {
	u, err := failure.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	return m.get(u, profile)
}

// Find returns the peer with an identity, nil if there is none. The Proxy is not
// looked at.
func (m *Map) Find(id ID) *Peer {
	id.Proxy = ""
	m.mu.RLock()
	defer m.mu.RUnlock()
	if e := m.peers.byID[id]; e != nil {
		return e.peer()
	}
	return nil
}

// ForEach calls f with every peer, in no order, until it returns false.
func (m *Map) ForEach(f func(*Peer) bool) {
	m.mu.RLock()
	peers := make([]*Peer, 0, len(m.peers.byID))
	for _, e := range m.peers.byID {
		if p := e.peer(); p != nil {
			peers = append(peers, p)
		}
	}
	m.mu.RUnlock()
	for _, p := range peers {
		if !f(p) {
			return
		}
	}
}

// Prelink has the peer that rawURL is for make a connection, if it has none and has not failed before. HTTP
// has no way to make one without a request: it sends OPTIONS *, as [Peer.Prelink] says. It does not wait.
func (m *Map) Prelink(rawURL string) error {
	p, err := m.Get(rawURL)
	if err != nil {
		return err
	}
	return p.Prelink()
}

// ClearError has the peers that have failed tried again at once, and returns how many
// there were. After a failure to find, to connect to or to agree on TLS with
// any endpoint a peer is left alone for a time that depends on what it was ([ErrorTTL]): requests
// fail with [ErrUnavailable]. Then one is let through, and all if it is answered. A peer
// that sends Retry-After with a 429 is left alone as long as it says, up to the Max of health.KindBusy; an endpoint that sends it with a 503
// as well, while requests go to the others, and the peer when that is so of all.
func (m *Map) ClearError() (n int) {
	m.ForEach(func(p *Peer) bool {
		if p.ClearError() {
			n++
		}
		return true
	})
	return n
}

// CloseIdle closes the connections that nothing runs on, but for pinned ones.
func (m *Map) CloseIdle() { m.ForEach(func(p *Peer) bool { p.CloseIdle(); return true }) }

// Close ends the map: what is under way fails with [ErrClosed], and every connection is
// closed. It does not close the client. Further calls do nothing.
func (m *Map) Close() {
	m.closed.Store(true)
	m.stop()
	m.mu.Lock()
	checker := m.checker
	m.mu.Unlock()
	if checker != nil {
		checker.Close()
	}
	m.ForEach(func(p *Peer) bool { p.shut(); return true })
}

func (m *Map) peerFor(req *http.Request, profile string) (*Peer, error) {
	if req == nil || req.URL == nil {
		return nil, errNoURL
	}
	return m.get(req.URL, profile)
}

var errNoURL = fmt.Errorf("peer: %w: the request has no URL", ratmom.ErrInvalidRequest)

func (m *Map) get(u *url.URL, profile string) (*Peer, error) {
	place := m.met.place(u)
	if p := place.find(u, profile); p != nil {
		return p, nil
	}
	id, err := idOf(u, profile)
	if err != nil {
		return nil, err
	}
	m.mu.RLock()
	var p *Peer
	if e := m.peers.byID[id]; e != nil {
		p = e.keep.Load()
		place.note(e, u)
	}
	m.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	return m.add(id, u)
}

// making is a peer in the making. Others who want it wait, since options are asked for once.
type making struct {
	done chan struct{} // closed when there is a peer, or an error; neither: a function of the user's has panicked
	peer *Peer
	err  error
}

// bare takes out of a plan what has no effect on peers.
func bare(plan *handler.Plan) {
	plan.Decompress, plan.TransferCoded, plan.RawTransfer = false, false, false
	plan.MaxBody, plan.OnDownload, plan.OnUpload = 0, nil, nil
}

// add makes a peer, unless another was quicker.
func (m *Map) add(id ID, u *url.URL) (*Peer, error) {
	for {
		m.mu.Lock()
		old, begun := m.peers.find(id), m.making[id]
		if old == nil && begun == nil {
			break
		}
		m.mu.Unlock()
		if old != nil {
			return old, nil
		}
		if <-begun.done; begun.peer != nil || begun.err != nil {
			return begun.peer, begun.err
		}
	}
	mk := &making{done: make(chan struct{})}
	m.making[id] = mk
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.making, id)
		m.mu.Unlock()
		close(mk.done)
	}()
	mk.peer, mk.err = m.make(id, u)
	return mk.peer, mk.err
}

// make makes a peer and adds it.
func (m *Map) make(id ID, u *url.URL) (*Peer, error) {
	opt, err := m.opt.forPeer(id)
	if err != nil {
		return nil, err
	}
	opts := append([]config.RequestOption(nil), opt.requests...)
	if id.Profile != "" {
		more, ok := opt.profiles[id.Profile]
		if !ok {
			return nil, fmt.Errorf("peer: %w: there is no profile %q", ratmom.ErrInvalidOption, id.Profile)
		}
		opts = append(opts, more...)
	}
	if opt.perPeer != nil {
		opts = append(opts, opt.perPeer(id)...)
	}
	plan, err := m.inside.Plan(opts)
	if err != nil {
		return nil, err
	}
	switch plan.Version {
	case config.HTTP3, config.HTTP3Only:
		return nil, fmt.Errorf("peer: %w: HTTP/3", ratmom.ErrUnsupported)
	}
	if plan.Negotiates {
		return nil, fmt.Errorf("peer: %w: config.NegotiateAuth and config.ProxyNegotiateAuth", ratmom.ErrUnsupported)
	}
	if plan.Config.DialContext() != nil {
		return nil, fmt.Errorf("peer: %w: config.DialContext", ratmom.ErrUnsupported)
	}
	proxy, err := plan.Proxy(u)
	if err != nil {
		return nil, err
	}
	if proxy == nil && !plan.Proxyless { // else there could be one for an authority that it is delegated to
		opts = append(opts, config.Proxy(""))
		if plan, err = m.inside.Plan(opts); err != nil {
			return nil, err
		}
	}
	bare(plan)
	p := &Peer{m: m, id: id, agents: m.inside.Agents(id.String()), plan: plan, given: opts, resolver: opt.resolver, clock: time.Now()}
	p.used = p.clock
	p.facts.Store(new(Facts))
	if proxy != nil {
		p.id.Proxy = proxy.Redacted()
	}
	if opt.check != nil {
		if p.probe, err = p.prober(opt.check, opts); err != nil {
			return nil, err
		}
		p.check = opt.check
	}
	lim := opt.limits
	lim.standFor = m.opt.forgetAfter
	if plan.Reuse == retry.ReuseNever {
		lim.maxRequests = 1
	}
	p.s = newScheduler(lim, opt.spread(), p)
	p.s.cuts = p.check != nil && p.check.Cut
	p.s.breaker.Limits, p.s.among, p.s.outliers.Policy = opt.breaker, opt.among, opt.outliers
	p.faults.errs.TTL = opt.errorTTL
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed.Load() {
		return nil, ErrClosed
	}
	if p.check != nil && m.checker == nil {
		m.checker = health.NewChecker(health.CheckerConfig{Workers: m.opt.checkWorkers})
	}
	p.checker = m.checker
	m.sweep(p.used)
	m.peers.add(id, p, u)
	m.watch(id, p)
	return p, nil
}
