package cgo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// driver does with a loop what an agent does, on the test's own goroutine.
type driver struct {
	t    *testing.T
	m    *cgo.Multi
	pool cgo.Pool
	runs []*run // by slot
	adds []*cgo.Transfer
}

// run is what has become of one transfer.
type run struct {
	*cgo.Transfer
	d      *driver
	events []cgo.Event // of each step that had any
	body   []byte
	held   cgo.Reader // not counted as consumed while hold is set
	hold   bool
	all    cgo.Event
	done   bool
	on     func(cgo.Event)
}

func newDriver(t *testing.T) *driver { return newDriverWith(t, nil) }

func newDriverWith(t *testing.T, o *cgo.MultiOptions) *driver {
	t.Helper()
	m, err := cgo.NewMulti(o)
	require.NoError(t, err)
	d := &driver{t: t, m: m}
	t.Cleanup(func() {
		for _, r := range d.runs {
			if !r.done {
				d.cancel(r)
			}
		}
		d.pool.Close()
		m.Close()
		cgo.Trim()
	})
	return d
}

// begin prepares a transfer for the next step; more changes it before.
func (d *driver) begin(url string, more func(*run, *cgo.Setup, *cgo.Options)) *run {
	d.t.Helper()
	tr, err := d.pool.Get(nil, nil)
	require.NoError(d.t, err)
	r := &run{Transfer: tr, d: d}
	setup := cgo.Setup{Slot: uint32(len(d.runs)), HighWater: 1 << 20, MaxHead: 1 << 20}
	var o cgo.Options
	o.String(cgo.OptURL, url)
	o.String(cgo.OptProxy, "")
	if more != nil {
		more(r, &setup, &o)
	}
	require.NoError(d.t, tr.Prepare(&setup, &o))
	d.runs = append(d.runs, r)
	d.adds = append(d.adds, tr)
	return r
}

// until turns the loop until stop reports true.
func (d *driver) until(what string, stop func() bool) {
	d.t.Helper()
	limit := cgo.Now() + int64(patience)
	late := false
	err := d.m.Run(func() cgo.Verdict {
		if stop() {
			return cgo.Stop
		}
		d.m.Step(d.adds, limit, true)
		d.adds = nil
		any := false
		d.m.Events(func(slot uint32) { any = true; d.runs[slot].take() })
		if late = cgo.Now() > limit; late {
			return cgo.Stop
		}
		switch {
		case any || d.m.Busy():
			return cgo.Again
		case stop():
			return cgo.Stop
		}
		return cgo.Park
	})
	require.NoError(d.t, err)
	require.NoError(d.t, d.m.Err())
	require.False(d.t, late, "waited in vain until %s", what)
}

func (r *run) take() {
	ev := r.TakeEvents()
	r.events = append(r.events, ev)
	r.all |= ev
	if ev&cgo.EventBody != 0 {
		r.held.Append(r.TakeBody())
		if !r.hold {
			r.drain()
		}
	}
	if ev&cgo.EventPaused != 0 && !r.hold {
		r.d.m.Unpause(r.Transfer, true, false)
	}
	r.done = r.done || ev&cgo.EventDone != 0
	if r.on != nil {
		r.on(ev)
	}
	if r.done {
		r.drain()
	}
}

// drain reads what is held.
func (r *run) drain() {
	n := r.held.Len()
	p := make([]byte, n)
	r.held.Read(p)
	r.body = append(r.body, p...)
	r.Consumed(n)
}

// get runs one request to its end and gives the transfer back.
func (d *driver) get(url string, more func(*run, *cgo.Setup, *cgo.Options)) (*run, cgo.Result) {
	d.t.Helper()
	r := d.begin(url, more)
	return r, d.finish(r)
}

func (d *driver) finish(r *run) cgo.Result {
	d.t.Helper()
	d.until(fmt.Sprintf("transfer %d has ended", len(d.runs)-1), func() bool { return r.done })
	res := r.Result()
	d.pool.Put(r.Transfer)
	return res
}

// cancel ends a transfer whatever it is doing.
func (d *driver) cancel(r *run) {
	for i, t := range d.adds {
		if t == r.Transfer {
			d.adds = append(d.adds[:i], d.adds[i+1:]...)
			break
		}
	}
	d.m.Remove(r.Transfer)
	d.m.Forget(r.Transfer)
	r.held.Free()
	r.done = true
	d.pool.Put(r.Transfer)
}
