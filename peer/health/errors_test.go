package health

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// until is how long Ask refuses, in seconds after noon; it does not take the probe.
func until(t *testing.T, c *Errors[string], now time.Time) float64 {
	t.Helper()
	b := c.Get("peer", now)
	require.NotNil(t, b, "it is not refused at %v", since(now))
	return since(b.Until)
}

func TestErrors_remember_each_kind_for_its_own_time(t *testing.T) {
	for name, c := range map[string]struct {
		kind  Kind
		told  time.Duration
		times []float64 // of each failure in a row, in seconds
	}{
		"name unknown":               {KindNameUnknown, 0, []float64{300, 300, 300}},
		"name unknown, told":         {KindNameUnknown, 60 * time.Second, []float64{60, 60}},
		"name unknown for a week":    {KindNameUnknown, 7 * 24 * time.Hour, []float64{3600}},
		"name not looked up":         {KindNameFailed, 0, []float64{5, 10, 20, 40, 80, 160, 300, 300}},
		"refused":                    {KindRefused, 0, []float64{1, 2, 4, 8, 16, 32, 60, 60}},
		"unreachable":                {KindUnreachable, 0, []float64{1, 2, 4}},
		"timeout":                    {KindTimeout, 0, []float64{5, 10, 20, 40, 80, 120, 120}},
		"TLS":                        {KindTLS, 0, []float64{600, 600}},
		"busy":                       {KindBusy, 17 * time.Second, []float64{17, 17}},
		"busy for days":              {KindBusy, 72 * time.Hour, []float64{3600}},
		"busy, but not for how long": {KindBusy, 0, nil},
		"other":                      {KindOther, 0, nil},
		"other, told":                {KindOther, time.Hour, nil},
		"no kind at all":             {kinds, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			errs, now := Errors[string]{Jitter: -1}, noon
			for i, want := range c.times {
				ticket, err := errs.Ask("peer", now)
				require.NoError(t, err)
				assert.Equal(t, i > 0, ticket.Probe())
				errs.Fail("peer", ticket, Fault{Kind: c.kind, Err: io.EOF, For: c.told}, now)

				_, err = errs.Ask("peer", now)
				var b *Blocked
				require.ErrorAs(t, err, &b)
				assert.Equal(t, Blocked{Kind: c.kind, Err: io.EOF, Until: b.Until, Failures: i + 1}, *b)
				assert.InDelta(t, want, b.Until.Sub(now).Seconds(), 1e-6)
				_, err = errs.Ask("peer", b.Until.Add(-time.Nanosecond))
				require.ErrorIs(t, err, ErrBlocked)
				assert.ErrorIs(t, err, io.EOF)
				now = b.Until
			}
			if c.times == nil {
				errs.Fail("peer", Ticket{}, Fault{Kind: c.kind, For: c.told}, now)
				assert.Zero(t, errs.Len())
			}
		})
	}
}

func TestErrors_let_one_probe_through_when_the_time_is_over(t *testing.T) {
	c := &Errors[string]{Jitter: -1}
	refused := Fault{Kind: KindRefused, Err: io.EOF}
	early, err := c.Ask("peer", noon)
	require.NoError(t, err)
	other, err := c.Ask("peer", noon)
	require.NoError(t, err)
	c.Fail("peer", early, refused, noon)
	assert.Equal(t, 1.0, until(t, c, noon))

	// What was under way before says nothing new.
	c.Fail("peer", other, refused, at(.5))
	c.Succeed("peer", other)
	c.Cancel("peer", other)
	assert.Equal(t, 1.0, until(t, c, at(.5)))

	assert.Nil(t, c.Get("peer", at(1)), "the next one may try")
	probe, err := c.Ask("peer", at(1))
	require.NoError(t, err)
	assert.True(t, probe.Probe())
	_, err = c.Ask("peer", at(2))
	var b *Blocked
	require.ErrorAs(t, err, &b)
	assert.True(t, b.Probing)
	assert.Equal(t, 31.0, since(b.Until))

	// A probe that was cancelled leaves its place to the next.
	c.Cancel("peer", probe)
	next, err := c.Ask("peer", at(3))
	require.NoError(t, err)
	c.Succeed("peer", probe) // late
	_, err = c.Ask("peer", at(3))
	require.Error(t, err)

	// One that never ends, too, after its time.
	_, err = c.Ask("peer", at(32.9))
	require.Error(t, err)
	last, err := c.Ask("peer", at(33))
	require.NoError(t, err)
	c.Fail("peer", next, refused, at(33)) // late
	assert.Equal(t, 63.0, until(t, c, at(33)))

	c.Succeed("peer", last)
	assert.Zero(t, c.Len())
	all, err := c.Ask("peer", at(34))
	require.NoError(t, err)
	assert.False(t, all.Probe())
	c.Fail("peer", last, refused, at(34)) // later still
	assert.Zero(t, c.Len())
}

func TestErrors_begin_anew_when_the_kind_changes(t *testing.T) {
	c := &Errors[string]{Jitter: -1}
	c.Fail("peer", Ticket{}, Fault{Kind: KindRefused}, at(0))
	probe, _ := c.Ask("peer", at(1))
	c.Fail("peer", probe, Fault{Kind: KindRefused}, at(1))
	assert.Equal(t, 3.0, until(t, c, at(1)))
	probe, _ = c.Ask("peer", at(3))
	c.Fail("peer", probe, Fault{Kind: KindTimeout}, at(3))
	assert.Equal(t, 8.0, until(t, c, at(3)))
	probe, _ = c.Ask("peer", at(8))
	c.Fail("peer", probe, Fault{Kind: KindOther}, at(8)) // no verdict
	probe, err := c.Ask("peer", at(8))
	require.NoError(t, err)
	assert.True(t, probe.Probe())
}

func TestErrors_are_cleared_by_call(t *testing.T) {
	c := &Errors[string]{}
	c.Fail("peer", Ticket{}, Fault{Kind: KindTLS, Err: io.EOF}, noon)
	c.Fail("other", Ticket{}, Fault{Kind: KindTLS}, noon)
	got := map[string]string{}
	for key, b := range c.All(noon) {
		got[key] = b.Error()
	}
	assert.Equal(t, map[string]string{
		"peer":  "the peer is not asked, because of an error before (TLS): EOF",
		"other": "the peer is not asked, because of an error before (TLS)",
	}, got)
	assert.True(t, c.Clear("peer"))
	assert.False(t, c.Clear("peer"))
	_, err := c.Ask("peer", noon)
	require.NoError(t, err)
	c.ClearAll()
	assert.Zero(t, c.Len())
	for key, b := range c.All(noon) {
		t.Fatalf("%s is left: %v", key, b)
	}
}

func TestErrors_jitter_only_lengthens_and_not_what_was_told(t *testing.T) {
	c := &Errors[string]{Jitter: .5, Rand: seeded(70)}
	short, long := time.Hour, time.Duration(0)
	for i := range 200 {
		key := fmt.Sprint(i)
		c.Fail(key, Ticket{}, Fault{Kind: KindNameFailed}, noon)
		d := c.Get(key, noon).Until.Sub(noon)
		short, long = min(short, d), max(long, d)
	}
	assert.True(t, short >= 5*time.Second && short < 5100*time.Millisecond, "%v", short)
	assert.True(t, long > 7400*time.Millisecond && long < 7500*time.Millisecond, "%v", long)
	c.Fail("peer", Ticket{}, Fault{Kind: KindBusy, For: 7 * time.Second}, noon)
	assert.Equal(t, 7.0, until(t, c, noon))
}

func TestErrors_have_the_times_they_were_given(t *testing.T) {
	c := &Errors[string]{Jitter: -1, TTL: map[Kind]TTL{KindOther: {First: 2 * time.Second, Grow: 3, Max: 10 * time.Second}, KindTLS: {}}}
	c.Fail("tls", Ticket{}, Fault{Kind: KindTLS}, noon)
	assert.Zero(t, c.Len())
	now := 0.0
	for _, want := range []float64{2, 6, 10, 10} {
		ticket, err := c.Ask("peer", at(now))
		require.NoError(t, err)
		c.Fail("peer", ticket, Fault{}, at(now))
		assert.InDelta(t, now+want, until(t, c, at(now)), 1e-6)
		now += want
	}
}

func TestErrors_keep_no_more_than_their_most(t *testing.T) {
	c := &Errors[int]{Max: 10, Jitter: -1}
	for i := range 1000 {
		c.Fail(i, Ticket{}, Fault{Kind: KindTLS}, at(float64(i)))
		assert.LessOrEqual(t, c.Len(), 10)
	}
	// Those whose time is over first have gone.
	for i := range 10 {
		assert.NotNil(t, c.Get(990+i, at(999)), "%d", 990+i)
	}
}

func TestErrors_keep_the_one_that_is_being_tried(t *testing.T) {
	c := &Errors[int]{Max: 3, Jitter: -1}
	c.Fail(0, Ticket{}, Fault{Kind: KindRefused}, noon)
	probe, err := c.Ask(0, at(1))
	require.NoError(t, err)
	require.True(t, probe.Probe())
	for i := range 20 {
		c.Fail(1+i, Ticket{}, Fault{Kind: KindTLS}, at(1))
	}
	b := c.Get(0, at(1))
	require.NotNil(t, b)
	assert.True(t, b.Probing)
}

// The model: a request is let through while an error lasts only as the one probe after
// its time, and only its outcome changes anything.
func TestModelErrors(t *testing.T) {
	type running struct {
		key    int
		ticket Ticket
	}
	r := seeded(71)
	c := &Errors[int]{Rand: r}
	now := noon
	var requests []running
	ends := map[int]time.Time{}                                // of errors
	probes, probeEnds := map[int]Ticket{}, map[int]time.Time{} // those that count
	for step := range 100000 {
		key := r.IntN(5)
		end, remembered := ends[key]
		_, probing := probes[key]
		probing = probing && now.Before(probeEnds[key])
		switch r.IntN(8) {
		case 0:
			now = now.Add(time.Duration(r.Int64N(int64(8 * time.Second))))
		case 1:
			if r.IntN(10) == 0 {
				assert.Equal(t, remembered, c.Clear(key))
				delete(ends, key)
				delete(probes, key)
			}
		case 2, 3, 4:
			ticket, err := c.Ask(key, now)
			switch {
			case !remembered:
				assert.NoError(t, err)
				assert.False(t, ticket.Probe())
			case now.Before(end) || probing:
				assert.ErrorIs(t, err, ErrBlocked)
			default:
				assert.NoError(t, err)
				assert.True(t, ticket.Probe())
				probes[key], probeEnds[key] = ticket, now.Add(DefaultProbeTimeout)
			}
			if err == nil {
				requests = append(requests, running{key, ticket})
			}
		default:
			if len(requests) == 0 {
				continue
			}
			i := r.IntN(len(requests))
			q := requests[i]
			requests = append(requests[:i], requests[i+1:]...)
			_, remembered := ends[q.key]
			probe, exists := probes[q.key]
			counts := exists && probe == q.ticket
			switch r.IntN(3) {
			case 0:
				c.Succeed(q.key, q.ticket)
				if counts {
					delete(ends, q.key)
					delete(probes, q.key)
				}
			case 1:
				c.Cancel(q.key, q.ticket)
				if counts {
					delete(probes, q.key)
				}
			default:
				kind := Kind(1 + r.IntN(6))
				c.Fail(q.key, q.ticket, Fault{Kind: kind}, now)
				if counts || (!remembered && !q.ticket.Probe()) {
					b := c.Get(q.key, now)
					require.NotNil(t, b)
					first := DefaultTTL(kind)
					assert.GreaterOrEqual(t, b.Until.Sub(now), first.First)
					assert.LessOrEqual(t, b.Until.Sub(now), first.Max*11/10)
					ends[q.key] = b.Until
					delete(probes, q.key)
				}
			}
		}
		assert.Equal(t, len(ends), c.Len())
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
	}
}

func TestBlocked_is_found_behind_other_errors(t *testing.T) {
	err := fmt.Errorf("get: %w", &Blocked{Kind: KindRefused, Err: io.ErrUnexpectedEOF})
	assert.True(t, errors.Is(err, ErrBlocked) && errors.Is(err, io.ErrUnexpectedEOF))
	assert.False(t, errors.Is(err, ErrLimit))
}

func TestErrors_are_as_long_as_the_peer_asks_for_last(t *testing.T) {
	c := &Errors[string]{Jitter: -1}
	busy := func(seconds time.Duration) Fault {
		return Fault{Kind: KindBusy, Err: io.EOF, For: seconds * time.Second}
	}
	c.Rest("peer", busy(0), noon)
	assert.Zero(t, c.Len())
	c.Rest("peer", busy(10), noon)
	c.Rest("peer", busy(5), noon)
	assert.Equal(t, 10.0, until(t, c, noon))
	c.Rest("peer", busy(20), noon)
	assert.Equal(t, 20.0, until(t, c, noon))

	c.Rest("peer", busy(3), at(30))
	assert.Equal(t, 33.0, until(t, c, at(30)), "its time was over, and nobody had tried")

	probe, err := c.Ask("peer", at(40))
	require.NoError(t, err)
	require.True(t, probe.Probe())
	c.Rest("peer", busy(9), at(41)) // the answer to another
	c.Succeed("peer", probe)
	assert.Equal(t, 50.0, until(t, c, at(42)), "the probe began before")
	c.Fail("peer", probe, Fault{Kind: KindRefused, Err: io.EOF}, at(43))
	assert.Equal(t, 50.0, until(t, c, at(43)))
}
