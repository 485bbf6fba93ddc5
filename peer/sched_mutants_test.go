package peer

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mutants are faults that TestModel must find: each is an edit of the scheduler.
var mutants = []struct{ name, file, from, to string }{
	{"a cancelled tag is sent all the same", "sched_end.go",
		"unsent := s.takeBack(t.run, now)", "unsent := true\n\t\ts.leave(t.run, now)"},
	{"the rule is not told of a repeat", "sched_retry.go",
		"t.trying, t.attempts, t.tried, t.run = false, 0, nil, nil", "t.attempts, t.tried, t.run = 0, nil, nil"},
	{"a try that had no link does not count", "sched_retry.go",
		"	s.try(t, try.Now) // one", "	// one"},
	{"what must not be repeated is", "sched_retry.go",
		"ask := t.ask\n", "ask := t.ask\n\task.Key = true\n"},
	{"failed connections are tried without end", "sched_retry.go",
		"t.attempts >= s.limits.maxAttempts || s.exhausted(t)", "s.exhausted(t)"},
	{"a tag does not wait for its next try", "sched_retry.go",
		"s.dues.add(t, try.Now.Add(d.After))", "s.dues.add(t, try.Now)"},
	{"a repeat is past the breaker", "sched_retry.go",
		"s.breaker.Take(health.Retries); err != nil", "s.breaker.Take(health.Retries); false"},
	{"what waits is past the breaker", "sched_retry.go",
		"s.breaker.Take(health.Pending); err != nil", "s.breaker.Take(health.Pending); false"},
	{"links are past the breaker", "sched_place.go",
		"return !s.breaker.Open(health.Links) || s.idleOf(s.endpoints...) != nil", "return true"},
	{"requests are past the breaker", "sched_place.go",
		"s.queue.Len() > 0 && !s.breaker.Open(health.Requests)", "s.queue.Len() > 0"},
	{"a hedge is past the budget", "sched_hedge.go",
		"e != nil && t.tries.run.Hedge(now)", "e != nil && (t.tries.run.Hedge(now) || true)"},
	{"a hedge that was taken back is sent", "sched_hedge.go",
		"	if !s.do.withdraw(r) {\n		r.tag.revealed", "	if !s.do.withdraw(r) || true {\n		r.tag.revealed"},
	{"the slower of two goes on", "sched_hedge.go",
		"	s.dismiss(other, now)\n", ""},
	{"a hedge is on the link of the first", "sched_hedge.go",
		"t.fresh = true // else", "// else"},
	{"the modes of reuse are not looked at", "sched_retry.go",
		"!t.fresh && t.reuse.Allows(t.ask, served)", "!t.fresh && (t.reuse.Allows(t.ask, served) || true)"},
	{"one link too many", "sched_place.go",
		"	if e.links < s.limits.maxLinks {\n		return !", "	if e.links <= s.limits.maxLinks {\n		return !"},
	{"pinned links serve everybody", "sched_link.go",
		"was != is && l.pin == nil", "was != is"},
	{"a draining link is closed at once", "sched_link.go",
		"	if l.runs == 0 {\n		s.shut(l)\n	}\n}\n\nfunc", "	s.shut(l)\n}\n\nfunc"},
	{"a link that rests is forgotten", "sched_link.go",
		"	defer s.expect(l)\n", ""},
	{"a link that is kept no more is forgotten", "sched_link.go",
		"		s.recount = true //", "		//"},
	{"one run too many on a link", "sched_link.go",
		"l.runs < l.limit", "l.runs <= l.limit"},
	{"a link that has taken too many is given up", "sched_streams.go",
		"		l.running[0].alone = false //", "		//"},
	{"a link that is full is left with no room", "sched_streams.go",
		"max(l.limit-1, 1)", "l.limit - 1"},
	{"a limit that was found too low stays", "sched_streams.go",
		"	l.limit++\n", ""},
	{"a committed tag is taken back", "sched_end.go",
		"r.tag.state == tagHead || !s.do.withdraw(r)", "r.tag.state == tagHead || !s.do.withdraw(r) && false"},
	{"the late end of a withdrawn run counts", "sched.go",
		"func (s *scheduler) ended(r *run, o outcome, now time.Time) {\n	if r.over {\n		return\n	}",
		"func (s *scheduler) ended(r *run, o outcome, now time.Time) {"},
	{"a cancelled tag stays in the queue", "sched_end.go",
		"s.queue.remove(t)", "_ = t"},
	{"the least urgent goes first", "sched_tag.go",
		"q[i].priority > q[j].priority", "q[i].priority < q[j].priority"},
	{"a link whose connection is over is used", "sched.go",
		"	l.down = true\n	s.drain(l)\n", "	l.down = true\n"},
	{"a lost pin finds another connection", "sched_pin.go",
		"return p.had && (p.link == nil || p.link.state == linkDraining)", "return false"},
	{"what has no room on a pin is lost", "sched_end.go",
		"case t.pin != nil && o.lost && s", "case false && o.lost && s"},
	{"reservations are not counted", "sched_reserve.go",
		"limit-runs-p.reserved", "limit-runs"},
	{"an endpoint that has gone is used", "sched_place.go",
		"!e.gone && !e.off && (pass", "!e.off && (pass"},
	{"what was cut goes on", "sched_health.go",
		"			s.do.abort(r)\n", ""},
	{"what was cut is always repeated", "sched_health.go",
		"if beside || !sent && s.move", "if beside || s.move"},
	{"an endpoint that is found down is used", "sched_health.go",
		"e.Down = e.ejected || e.failing", "e.Down = e.ejected"},
	{"an endpoint that rests is used", "sched_place.go",
		"!e.gone && !e.off && (pass", "!e.gone && (pass"},
	{"an endpoint that rests is used by a pin", "sched_pin.go",
		"!e.gone && !e.off", "!e.gone"},
	{"an endpoint that rests takes what waits elsewhere", "sched_place.go",
		"e.gone || e.off || e.Down", "e.gone || e.Down"},
	{"a rest has no end", "sched_link.go",
		"if !s.restEnd.IsZero()", "if false"},
	{"a rest is nothing to what waits", "sched_rest.go",
		"	s.place(now) // there", "	// there"},
	{"how long the peer is to be left alone is nothing to a repeat", "sched_retry.go",
		"status == http.StatusServiceUnavailable && r.link.ep.off", "r.link.ep.off"},
	{"what waits for other endpoints is not passed", "sched_place.go",
		"if !t.picky() ||", "if true || !t.picky() ||"},
	{"what was passed is forgotten", "sched_place.go",
		"		s.queue.add(t)\n		s.aside[i] = nil\n", "		_, s.aside[i] = t, nil\n"},
	{"a free place is not taken", "sched.go",
		"opened, now)\n	}\n	s.serve(l.pin, now)\n	s.place(now)\n", "opened, now)\n	}\n	s.serve(l.pin, now)\n"},
	{"a standby link is made where an endpoint rests", standbyFile,
		"!e.gone && !e.Down && !e.rests.After(now)", "!e.gone && !e.Down"},
	{"a standby link is made to an endpoint that is ejected", standbyFile,
		"!e.gone && !e.Down && !e.rests.After(now)", "!e.gone && !e.rests.After(now)"},
	{"a standby link is one too many", standbyFile,
		"e.links >= s.limits.maxLinks", "e.links > s.limits.maxLinks"},
	{"a standby link is past the breaker", standbyFile,
		" || s.breaker.Open(health.Links)", ""},
	{"two standby links are made at once", standbyFile,
		"e.spares.opening || ", ""},
	{"a standby link is made before what waits", standbyFile,
		"!s.standing || s.queue.Len() > 0 { // what", "!s.standing { // what"},
	{"the next standby link is forgotten", "sched_link.go",
		"		next = s.spareDue\n", "		next = next.Add(0)\n"},
	{"a request for a standby link moves", "sched_retry.go",
		"	if t.spare != nil {\n		return false\n	}\n", ""},
}

const standbyFile = "sched_standby.go"

// timeForOthers is what is left of the time of all tests for those that come after the mutants.
const timeForOthers = 4 * time.Minute

func TestModel_finds_every_mutant(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the package once per mutant")
	}
	dir, err := os.Getwd()
	require.NoError(t, err)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if end, ok := t.Deadline(); ok && time.Until(end) < timeForOthers {
				t.Skip("the machine is too slow for all of them: give it a longer -timeout")
			}
			path := filepath.Join(dir, m.file)
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(string(src), m.from), "the edit is of one place")
			tmp := t.TempDir()
			edited := filepath.Join(tmp, m.file)
			require.NoError(t, os.WriteFile(edited, []byte(strings.Replace(string(src), m.from, m.to, 1)), 0o600))
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: edited}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(tmp, "overlay.json"), overlay, 0o600))
			var out []byte
			for seed := 1; seed <= 5; seed++ { // waits are at random: a seed does not always lead the same way
				// Those of standby links are for the test that has some.
				run := "^TestModel_(the_scheduler|a_limit)"
				if strings.Contains(m.name, "standby") {
					run = "^TestModel_standby"
				}
				cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", filepath.Join(tmp, "overlay.json"),
					"-run", run, ".", "-count=1", "-model.steps=100000", fmt.Sprint("-model.seed=", seed))
				if out, err = cmd.CombinedOutput(); err != nil {
					break
				}
			}
			require.Error(t, err, "it lives")
			assert.Contains(t, string(out), "--- FAIL: TestModel", string(out))
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "step ") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}
