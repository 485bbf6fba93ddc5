package health

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"
)

// DefaultWorkers is how many checks a Checker runs at once.
const DefaultWorkers = 8

// Change says that checks found an endpoint in another state.
type Change struct {
	ID      uint64
	Address string
	State   State
	Err     error // of the last check, where it failed
}

// CheckerConfig is what a [Checker] does.
type CheckerConfig struct {
	// Probe checks an endpoint.
	Probe Probe

	// Policy says when.
	Policy CheckPolicy

	// Workers is how many checks run at once, each in a goroutine; default 8. With w of
	// them, no more than w/Timeout checks a second are sure to run.
	Workers int

	// Changed is told of each change, those of one endpoint one after another. It is
	// called by the goroutine of the check, and must not call Close. nil tells nobody.
	Changed func(Change)
}

// Checker checks endpoints until it is closed. Its methods are safe for concurrent use.
type Checker struct {
	config CheckerConfig
	ctx    context.Context
	stop   context.CancelFunc
	wake   chan struct{}
	over   sync.WaitGroup

	mu      sync.Mutex
	targets map[uint64]*target
	due     dueHeap // those that are not being checked
	running int
	closed  bool
}

// Target is an endpoint that a [Checker] checks in a way of its own.
type Target struct {
	ID      uint64
	Address string
	Probe   Probe
	Policy  CheckPolicy
	// Changed is told of each change, as CheckerConfig.Changed is of others.
	Changed func(Change)
}

// target is an endpoint that is checked.
type target struct {
	Target
	check   Check
	lastErr error
	index   int // in due, or -1
	ctx     context.Context
	stop    context.CancelFunc
}

func newTarget(ctx context.Context, of Target) *target {
	t := &target{Target: of, check: Check{Policy: of.Policy}}
	t.ctx, t.stop = context.WithCancel(ctx)
	return t
}

// NewChecker starts a checker. It has no endpoints yet; Close ends it.
func NewChecker(config CheckerConfig) *Checker {
	c := &Checker{config: config, wake: make(chan struct{}, 1), targets: make(map[uint64]*target)}
	if c.config.Workers <= 0 {
		c.config.Workers = DefaultWorkers
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.over.Add(1)
	go c.loop()
	return c
}

// Add begins to check an endpoint, at once. One that is known already is begun anew
// if the address is another.
func (c *Checker) Add(id uint64, address string) {
	c.Watch(Target{ID: id, Address: address, Probe: c.config.Probe, Policy: c.config.Policy, Changed: c.config.Changed})
}

// Watch is Add of an endpoint with a probe and a policy of its own.
func (c *Checker) Watch(target Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.targets[target.ID]; c.closed || (old != nil && old.Address == target.Address) {
		return
	}
	c.remove(target.ID)
	t := newTarget(c.ctx, target)
	c.targets[target.ID] = t
	heap.Push(&c.due, t)
	c.wakeUp()
}

// Remove ends the checks of an endpoint. A change that is being told at this moment
// still arrives.
func (c *Checker) Remove(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(id)
}

// Suspect has an endpoint checked soon, because requests to it failed.
func (c *Checker) Suspect(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[id]
	if t == nil || t.index < 0 { // one is under way
		return
	}
	t.check.Suspect(time.Now())
	heap.Fix(&c.due, t.index)
	c.wakeUp()
}

// State is what checks say of an endpoint, and the error of the last one, if it failed.
func (c *Checker) State(id uint64) (State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[id]
	if t == nil {
		return Unknown, nil
	}
	return t.check.State(), t.lastErr
}

// Close ends all checks and returns when none runs any more. It may be called again.
func (c *Checker) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.over.Wait()
}

func (c *Checker) remove(id uint64) {
	t := c.targets[id]
	if t == nil {
		return
	}
	t.stop()
	delete(c.targets, id)
	if t.index >= 0 {
		heap.Remove(&c.due, t.index)
	}
}

func (c *Checker) wakeUp() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// loop starts the checks when they are due and a worker is free.
func (c *Checker) loop() {
	defer c.over.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if d, ok := c.start(time.Now()); ok {
			timer.Reset(d)
		} else {
			timer.Stop()
		}
		select {
		case <-c.ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// start starts what is due. It gives the time until the next one is, unless only the
// end of a check or a new endpoint changes anything.
func (c *Checker) start(now time.Time) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.due) > 0 && c.running < c.config.Workers && !c.closed {
		if d := c.due[0].check.Next().Sub(now); d > 0 {
			return d, true
		}
		t := heap.Pop(&c.due).(*target)
		c.running++
		c.over.Add(1)
		go c.run(t)
	}
	return 0, false
}

// run checks one endpoint once.
func (c *Checker) run(t *target) {
	defer c.over.Done()
	ctx, cancel := context.WithTimeout(t.ctx, t.check.timeout())
	err := probe(ctx, t.Probe, t.Address)
	cancel()
	c.mu.Lock()
	changed := false
	if t.ctx.Err() == nil {
		t.lastErr = err
		changed = t.check.Result(err == nil, time.Now())
	}
	change := Change{ID: t.ID, Address: t.Address, State: t.check.State(), Err: err}
	c.mu.Unlock()

	if changed && t.Changed != nil {
		tell(t.Changed, change)
	}
	// Only now may it be checked again, so that changes come in their order.
	c.mu.Lock()
	c.running--
	if c.targets[t.ID] == t {
		heap.Push(&c.due, t)
	}
	c.mu.Unlock()
	c.wakeUp()
}

// tell keeps a panic of the user's function from ending the program.
func tell(changed func(Change), change Change) {
	defer func() { _ = recover() }()
	changed(change)
}

// probe makes an error of a panic in a user's probe.
func probe(ctx context.Context, p Probe, address string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("health: the probe of %s panicked: %v", address, v)
		}
	}()
	if p == nil {
		return errNoProbe
	}
	return p.Probe(ctx, address)
}

// dueHeap has the target that is checked next first.
type dueHeap []*target

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].check.next.Before(h[j].check.next) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *dueHeap) Push(x any) {
	t := x.(*target)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
