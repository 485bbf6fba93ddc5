package peer

import (
	"slices"
	"testing"
)

func TestModel_a_limit_of_streams_that_was_found_too_low_grows(t *testing.T) {
	m := newModel(*modelSeed)
	m.s.update([]Address{{Addr: "a"}, {Addr: "b"}}, m.now)
	m.s.update([]Address{{Addr: "b"}}, m.now) // which speaks HTTP/2
	m.events = slices.Clone(modelEvents)
	m.events = slices.DeleteFunc(m.events, func(e modelEvent) bool {
		return !slices.Contains([]string{"submit", "connected", "sent on", "connection lost", "head", "good end", "late end", "tick"}, e.name)
	})
	defer func() {
		if v := recover(); v != nil {
			t.Fatalf("%s: %v", m.last, v)
		}
	}()
	for range 100_000 {
		m.step()
	}
	m.finishUp(t)
	if m.happened["a limit grows"] == 0 {
		t.Error("none did")
	}
	t.Logf("%d times", m.happened["a limit grows"])
}
