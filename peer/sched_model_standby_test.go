package peer

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/retry"
)

// modelStandby plays a scheduler that has standby links made.
func modelStandby(seed uint64, n int) *model {
	m := newModelWith(seed, func(l *limits) { l.standby, l.standFor = n, 20*time.Second })
	m.events = append(slices.Clone(modelEvents), modelEvent{"standby", 20, func(m *model) bool {
		if len(m.warming) == 0 {
			return false
		}
		m.opens(m.warming[m.rng.IntN(len(m.warming))])
		return true
	}}, modelEvent{"nobody asks for long", 1, func(m *model) bool {
		if m.rng.IntN(50) > 0 {
			return false
		}
		m.now = m.now.Add(m.lim.standFor)
		m.s.tick(m.now)
		return true
	}})
	return m
}

// opens gives the scheduler the request for a standby link that it has asked for.
func (m *model) opens(e *endpoint) *tag {
	m.warming = slices.DeleteFunc(m.warming, func(o *endpoint) bool { return o == e })
	t := &tag{born: m.now}
	t.ask = retry.Request{Method: http.MethodOptions, Replayable: true}
	mt := &modelTag{t: t}
	m.tag[t] = mt
	m.tags = append(m.tags, mt)
	m.submitted++
	m.s.standby(t, e, m.now)
	return t
}

func (m *model) warm(e *endpoint) {
	if m.lim.standby == 0 {
		fail("a standby link is made, of none")
	}
	if slices.Contains(m.warming, e) {
		fail("two standby links are made at once")
	}
	if m.s.queue.Len() > 0 {
		fail("a standby link is made while tags wait")
	}
	m.standsThere(e)
	m.warming = append(m.warming, e)
}

// standsThere looks whether a standby link may be made to an endpoint.
func (m *model) standsThere(e *endpoint) {
	if e.gone || e.Down || e.rests.After(m.now) {
		fail("a standby link is made to an endpoint that is gone %v, down %v, or rests %v", e.gone, e.Down, e.rest(m.now))
	}
}

// standsAt looks where a tag for a standby link runs.
func (m *model) standsAt(r *run) {
	e := r.tag.spare
	if e == nil {
		return
	}
	m.standsThere(e)
	if r.link.ep != e || r.bound || r.link.runs != 1 || r.hedge {
		fail("a standby link is not made")
	}
	for _, l := range m.s.links {
		for _, o := range l.running {
			if o != r && o.tag != nil && o.tag.spare == e {
				fail("two standby links are made at once")
			}
		}
	}
}

// checkStandby looks that standby links are made where there are too few.
func (m *model) checkStandby() {
	s := m.s
	for _, e := range s.endpoints {
		opening := slices.Contains(m.warming, e) || slices.ContainsFunc(m.tags, func(t *modelTag) bool { return t.t.spare == e })
		if e.spares.opening != opening {
			fail("that a standby link is made is %v", opening)
		}
		if m.lim.standby == 0 || !s.stands(m.now) || s.queue.Len() > 0 || opening || !s.lacks(e, m.now) {
			continue
		}
		if next := s.next(); !e.spares.next.After(m.now) || next.IsZero() || next.After(e.spares.next) {
			fail("a standby link is forgotten")
		}
	}
}

func TestModel_standby_links_keep_to_the_limits(t *testing.T) {
	modelStandby(*modelSeed, 1+int(*modelSeed%2)).play(t)
}

func TestModel_with_standby_links_closes_in_whatever_state_it_is(t *testing.T) {
	for seed := range uint64(1000) {
		m := modelStandby(seed, 1+int(seed%3))
		for range 50 + seed%200 {
			m.step()
		}
		m.finishUp(t)
	}
}

// oneAnswered is a model in which one request was answered over HTTP/1.1.
func oneAnswered(t *testing.T, n int) *model {
	m := modelStandby(1, n)
	m.s.update([]Address{{Addr: "a"}}, m.now)
	require.EqualValues(t, 1, m.s.endpoints[0].ID%2, "which is one of HTTP/1.1 in the model")
	tg := &tag{born: m.now}
	tg.ask = retry.Request{Method: http.MethodGet, Replayable: true}
	mt := &modelTag{t: tg}
	m.tag[tg], m.tags = mt, append(m.tags, mt)
	m.submitted++
	m.s.submit(tg, m.now)
	require.Empty(t, m.warming, "nothing is known yet")
	m.answerLast()
	return m
}

// answerLast has the last run connect, and answers it.
func (m *model) answerLast() {
	r := m.runs[len(m.runs)-1]
	m.links[r.r.link].connected = true
	m.commit(r)
	m.s.up(r.r.link, m.now)
	m.head(r, 200)
	m.end(r, outcome{})
}

func TestStandby_links_are_made_one_at_a_time_and_ever_more_slowly_where_they_fail(t *testing.T) {
	m := oneAnswered(t, 2)
	begin := m.now
	m.lim.standFor, m.s.limits.standFor = 0, 0
	asked := 0
	for m.now.Sub(begin) < 10*time.Minute {
		for len(m.warming) > 0 {
			asked++
			m.opens(m.s.endpoints[0])
			require.Empty(t, m.warming)
			if len(m.runs) > 0 {
				m.end(m.runs[0], outcome{err: errModel, unsent: true, class: retry.Connect})
			}
		}
		next := m.s.next()
		require.True(t, next.After(m.now), "it does not go round and round")
		m.now = next
		m.s.tick(m.now)
	}
	assert.Greater(t, asked, 10)
	assert.Less(t, asked, 40)
	t.Logf("%d in ten minutes", asked)
}

func TestStandby_links_are_where_requests_go(t *testing.T) {
	m := oneAnswered(t, 2)
	a := m.s.endpoints[0]
	m.s.update([]Address{{Addr: "a"}, {Addr: "b", Priority: 1}}, m.now)
	b := m.s.endpoints[1]
	require.Equal(t, []*endpoint{a}, m.warming)
	m.s.checked(a, false, m.now)
	require.Equal(t, []*endpoint{a, b}, m.warming)
	require.Equal(t, tagDone, m.opens(a).state, "it is not wanted any more")
	m.opens(b)
	m.answerLast()
	m.opens(b)
	m.answerLast()
	require.Empty(t, m.warming)
	m.s.checked(a, true, m.now)
	require.Equal(t, []*endpoint{a}, m.warming)
}
