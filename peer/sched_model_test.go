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
	events []modelEvent
	last   string // one of them

	warming []*endpoint // a standby link is asked for

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
	refused   bool // by its link, which is yet to be told
}

type modelLink struct {
	connected, down, closed bool
	http2                   bool
	served                  int
	takes                   int  // at once
	gone                    bool // it takes none any more, and runs on
	limit, low              int  // answers at a limit that is too low
}

var errModel = errors.New("it failed")

func fail(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func newModel(seed uint64) *model { return newModelWith(seed, func(*limits) {}) }

func newModelWith(seed uint64, set func(*limits)) *model {
	m := &model{
		rng: rand.New(rand.NewPCG(seed, 2)), now: time.Unix(1000, 0), events: modelEvents, happened: make(map[string]int),
		bound: make(map[*pin]*link), links: make(map[*link]*modelLink), of: make(map[*run]*modelRun), tag: make(map[*tag]*modelTag),
	}
	m.lim = limits{
		minLinks: 1, maxLinks: 3, maxPins: 3, maxRequests: 40, maxStreams: 4, probeAfter: 2, maxQueue: 12, maxAttempts: 3,
		maxAge: 30 * time.Second, idle: 2 * time.Second, stealAfter: 200 * time.Millisecond, stallAfter: time.Second,
	}
	set(&m.lim)
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
	for _, e := range m.events {
		total += e.weight
	}
	at := m.rng.IntN(total)
	for _, e := range m.events {
		if at -= e.weight; at < 0 {
			m.last, m.refused = e.name, m.budget.Stats(m.now).Refused
			if e.do(m) {
				m.happened[e.name]++
				m.check()
				m.checkHealth()
				m.checkRest()
				m.checkStandby()
			}
			return
		}
	}
}

func TestModel_the_scheduler_keeps_its_promises(t *testing.T) {
	newModel(*modelSeed).play(t)
}

// play has events happen.
func (m *model) play(t *testing.T) {
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
	for _, e := range m.events {
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
