package peer

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ratmom/ratmom/peer/health"
	"github.com/ratmom/ratmom/retry"
)

var (
	modelSteps = flag.Int("model.steps", 1_000_000, "events of TestModel")
	modelSeed  = flag.Uint64("model.seed", 1, "and where their chance begins")
)

// model drives a scheduler with random events and plays its transport. It knows by
// itself what was sent and what ended, and panics where the scheduler breaks a rule.
type model struct {
	rng   *rand.Rand
	now   time.Time
	s     *scheduler
	lim   limits
	tags  []*modelTag // not finished
	runs  []*modelRun // not ended
	links map[*link]*modelLink
	pins  []*pin
	bound map[*pin]*link // the one connection of each
	of    map[*run]*modelRun
	tag   map[*tag]*modelTag

	budget *retry.Budget
	last   string // event

	refused uint64 // by the budget, before the last event
	repeats int

	submitted, finished, sent int
	happened                  map[string]int
}

type modelTag struct {
	t            *tag
	sent, starts int
	finished     bool
	neverSend    bool
	dialed       int
	noted        int
	hedges       int
	asked        time.Time // earliest of its next try
}

type modelRun struct {
	r         *run
	committed bool
	head      bool
	withdrawn bool
	aborted   bool
}

type modelLink struct {
	connected, down, closed bool
	http2                   bool
	served                  int
}

var errModel = errors.New("it failed")

func fail(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// ---- the transport

func (m *model) open(l *link) {
	if l.ep.gone {
		fail("a link to an endpoint that has gone")
	}
	m.links[l] = &modelLink{http2: l.ep.ID%2 == 0}
}

func (m *model) close(l *link) {
	if m.links[l].closed {
		fail("a link was closed twice")
	}
	for _, r := range m.runs {
		if r.r.link == l && !r.withdrawn {
			fail("a link was closed under a run")
		}
	}
	m.links[l].closed = true
	delete(m.links, l)
}

func (m *model) start(r *run) {
	l, t := m.links[r.link], m.tag[r.tag]
	switch {
	case t == nil || t.finished:
		fail("a tag that has ended was started")
	case l == nil:
		fail("a tag was put on a closed link")
	case l.down:
		fail("a tag was put on a link without a connection")
	case r.bound != l.connected:
		fail("bound %v, connected %v", r.bound, l.connected)
	case r.tag.pin != r.link.pin:
		fail("a pinned link serves another owner")
	}
	beside := 0
	for _, o := range m.runs {
		if o.r.tag == r.tag && !o.withdrawn {
			beside++
			if o.r.link == r.link {
				fail("a hedge is on the same link")
			}
			if o.head {
				fail("a tag with a head is hedged")
			}
		}
	}
	switch {
	case beside > 1 || beside == 1 && (!r.hedge || t.hedges > 0):
		fail("a tag runs twice")
	case r.hedge && (!retry.Safe(r.tag.ask.Method) || r.tag.tries.run.Policy() == nil || r.tag.pin != nil):
		fail("what must not be hedged is")
	case r.hedge && m.budget.Stats(m.now).Refused > m.refused:
		fail("a tag is hedged though the budget is spent")
	case r.hedge:
		t.hedges++
	}
	if m.now.Before(t.asked) {
		fail("a tag did not wait for its next try")
	}
	if r.bound && r.tag.pin == nil && !r.tag.reuse.Allows(r.tag.ask, m.links[r.link].served) {
		fail("a tag rides a connection that it must not")
	}
	l.served++
	if r.tag.pin == nil && !r.hedge {
		for _, q := range m.s.queue {
			if q.priority > r.tag.priority {
				fail("a less urgent tag was started")
			}
		}
	}
	t.starts++
	mr := &modelRun{r: r}
	m.runs = append(m.runs, mr)
	m.of[r] = mr
}

func (m *model) withdraw(r *run) bool {
	mr := m.of[r]
	if mr.committed {
		return false
	}
	mr.withdrawn = true
	return true
}

func (m *model) abort(r *run) {
	mr := m.of[r]
	if !mr.committed || mr.withdrawn {
		fail("what was not sent was aborted")
	}
	mr.aborted = true
}

func (m *model) finish(t *tag, o outcome) {
	mt := m.tag[t]
	if mt == nil || mt.finished {
		fail("a tag ended twice")
	}
	mt.finished = true
	if o.unsent {
		if mt.sent > 0 && o.err == nil {
			fail("it was sent")
		}
		mt.neverSend = true
	}
	m.finished++
	m.tags = slices.DeleteFunc(m.tags, func(x *modelTag) bool { return x == mt })
}

// ---- what happens

func (m *model) pick(ok func(*modelRun) bool) *modelRun {
	if len(m.runs) == 0 {
		return nil
	}
	at := m.rng.IntN(len(m.runs))
	for i := range m.runs {
		if r := m.runs[(at+i)%len(m.runs)]; ok(r) {
			return r
		}
	}
	return nil
}

func (m *model) commit(r *modelRun) {
	r.committed = true
	t := r.r.tag
	if t == nil {
		fail("a run without a tag was sent")
	}
	mt := m.tag[t]
	if mt.finished || mt.neverSend {
		fail("what was taken back was sent")
	}
	if p := t.pin; p != nil {
		if l := m.bound[p]; l != nil && l != r.r.link {
			fail("a pin's owner meets another connection")
		}
		m.bound[p] = r.r.link
	}
	mt.sent++
	m.sent++
	most := 1
	if t.ask.Repeatable() && t.pin == nil {
		most = 2 // one stale connection
		if p := t.tries.run.Policy(); p != nil {
			most += p.Tries - 1
		}
	}
	if mt.sent > most {
		fail("sent %d times, at most %d", mt.sent, most)
	}
}

func (m *model) end(r *modelRun, o outcome) {
	m.runs = slices.DeleteFunc(m.runs, func(x *modelRun) bool { return x == r })
	m.s.ended(r.r, o, m.now)
	delete(m.of, r.r)
}

func (m *model) breakLink(l *link) {
	if ml := m.links[l]; ml != nil && ml.connected && !ml.down {
		ml.down = true
		m.s.down(l, m.now)
	}
}

func (m *model) alive(l *link) bool {
	ml := m.links[l]
	return ml != nil && ml.connected && !ml.down
}

// check looks at what must hold between events.
func (m *model) check() {
	s := m.s
	pins := make(map[*pin]*link)
	links := make(map[*endpoint][3]int)
	if len(s.links) != len(m.links) {
		fail("%d links are known, %d are open", len(s.links), len(m.links))
	}
	if len(s.pins) > m.lim.maxPins {
		fail("%d pins", len(s.pins))
	}
	for _, l := range s.links {
		ml := m.links[l]
		n := links[l.ep]
		n[2] += l.runs
		if l.pin == nil {
			n[0]++
			if !l.told {
				n[1]++
			}
		} else if old := pins[l.pin]; old != nil && l.state != linkDraining && old.state != linkDraining {
			fail("a pin has two links")
		} else {
			pins[l.pin] = l
		}
		links[l.ep] = n
		if l.runs != len(l.running) || l.runs > max(1, m.lim.maxStreams) || !ml.http2 && l.runs > 1 {
			fail("%d runs on a link", l.runs)
		}
		if l.state == linkDraining && l.runs == 0 {
			fail("nothing runs on a draining link")
		}
		if l.state == linkReady && (!ml.connected || ml.down) {
			fail("a ready link has no connection")
		}
	}
	for _, e := range s.endpoints {
		if n := links[e]; n != [3]int{e.links, e.untold, e.InFlight} {
			fail("endpoint counts %d %d %d, has %v", e.links, e.untold, e.InFlight, n)
		}
		if e.links > m.lim.maxLinks {
			fail("%d links to one endpoint", e.links)
		}
	}
	waiting := 0
	for _, p := range m.pins {
		waiting += len(p.waiting)
	}
	for _, t := range m.tags {
		switch {
		case t.t.state == tagWaiting:
		case t.t.state == tagQueued:
			waiting--
		case t.t.run == nil || t.t.run.tag != t.t || t.t.run.link.state == linkClosed:
			fail("a %v tag is on no link", t.t.state)
		}
	}
	if waiting+s.queue.Len() != 0 {
		fail("tags are lost: %d wait too many", waiting+s.queue.Len())
	}
	pending, requests, retries := len(m.pending()), 0, 0
	for _, l := range s.links {
		requests += len(l.running)
		for _, r := range l.running {
			if r.hedge {
				retries++
			}
		}
	}
	for _, t := range m.tags {
		if t.t.repeat {
			retries++
		}
	}
	for _, c := range []struct {
		what health.Resource
		n    int
		most int
	}{
		{health.Links, len(s.links), modelLimits.Links}, {health.Pending, pending, modelLimits.Pending},
		{health.Requests, requests, modelLimits.Requests}, {health.Retries, retries, modelLimits.Retries},
	} {
		if c.n > c.most || c.n != s.breaker.Used(c.what) {
			fail("%d %v, of %d; %d are counted", c.n, c.what, c.most, s.breaker.Used(c.what))
		}
	}
	st := m.budget.Stats(m.now)
	if st.Repeats > m.repeats && st.Repeats > max(modelFloor, st.Requests/2) {
		fail("the budget is overdrawn: %+v", st)
	}
	m.repeats = st.Repeats
	for _, t := range s.dues {
		if t.due.IsZero() || t.state != tagWaiting && t.state != tagAssigned && t.state != tagCommitted {
			fail("a %v tag is due", t.state)
		}
	}
	if s.queue.Len() > 0 && !s.breaker.Open(health.Requests) {
		if t := s.queue[0]; s.pick(t, m.now) != nil {
			fail("a tag waits though there is room")
		}
	}
}

func newModel(seed uint64) *model {
	m := &model{
		rng: rand.New(rand.NewPCG(seed, 2)), now: time.Unix(1000, 0), happened: make(map[string]int),
		bound: make(map[*pin]*link), links: make(map[*link]*modelLink), of: make(map[*run]*modelRun), tag: make(map[*tag]*modelTag),
	}
	m.lim = limits{
		minLinks: 1, maxLinks: 3, maxPins: 3, maxRequests: 20, maxStreams: 4, maxQueue: 12, maxAttempts: 3,
		maxAge: 30 * time.Second, idle: 2 * time.Second, stealAfter: 200 * time.Millisecond, stallAfter: time.Second,
	}
	m.s = newScheduler(m.lim, randomPolicy{m.rng}, m)
	m.s.breaker.Limits = modelLimits
	m.budget, _ = retry.NewBudget(0.5, modelFloor, 2*time.Second)
	return m
}

// What the model's scheduler is limited to.
var modelLimits = health.Limits{Links: 9, Pending: 14, Requests: 16, Retries: 4}

const modelFloor = 6

// pending are the tags that wait.
func (m *model) pending() (out []*modelTag) {
	for _, t := range m.tags {
		if t.t.state == tagQueued || t.t.state == tagWaiting {
			out = append(out, t)
		}
	}
	return out
}

type randomPolicy struct{ rng *rand.Rand }

func (p randomPolicy) Pick(eps []*Endpoint, _ Key, _ time.Time) int { return p.rng.IntN(len(eps)) }

func (m *model) step() {
	total := 0
	for _, e := range modelEvents {
		total += e.weight
	}
	at := m.rng.IntN(total)
	for _, e := range modelEvents {
		if at -= e.weight; at < 0 {
			m.last, m.refused = e.name, m.budget.Stats(m.now).Refused
			if e.do(m) {
				m.happened[e.name]++
				m.check()
				m.checkHealth()
			}
			return
		}
	}
}

func TestModel_the_scheduler_keeps_its_promises(t *testing.T) {
	m := newModel(*modelSeed)
	steps := *modelSteps
	if testing.Short() {
		steps = min(steps, 50_000)
	}
	at := 0
	defer func() {
		if v := recover(); v != nil {
			t.Fatalf("step %d, %s: %v", at, m.last, v)
		}
	}()
	for at = range steps {
		m.step()
		if len(m.tag) > 4096 { // forget those that have ended
			for k, v := range m.tag {
				if v.finished && !slices.ContainsFunc(m.runs, func(r *modelRun) bool { return r.r.tag == k }) {
					delete(m.tag, k)
				}
			}
		}
	}
	m.finishUp(t)
	for _, e := range modelEvents {
		if m.happened[e.name] == 0 {
			t.Errorf("%q never happened", e.name)
		}
	}
	t.Logf("%d tags, %d sendings", m.submitted, m.sent)
}

// finishUp closes the scheduler and looks that all has ended.
func (m *model) finishUp(t *testing.T) {
	m.s.close(errModel, m.now)
	if m.submitted != m.finished || len(m.tags) > 0 {
		t.Fatalf("%d tags, %d ended", m.submitted, m.finished)
	}
	for len(m.runs) > 0 {
		m.end(m.runs[0], outcome{err: errModel})
	}
	if len(m.links) > 0 {
		t.Fatalf("%d links are open", len(m.links))
	}
}

func TestModel_closes_in_whatever_state_it_is(t *testing.T) {
	for seed := range uint64(2000) {
		m := newModel(seed)
		for range 50 + seed%200 {
			m.step()
		}
		m.finishUp(t)
	}
}
