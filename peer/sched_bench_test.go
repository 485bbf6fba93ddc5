package peer

import (
	"fmt"
	"testing"
	"time"

	"github.com/ratmom/ratmom/peer/balance"
	"github.com/ratmom/ratmom/retry"
)

// What a request costs the scheduler alone: where all links of an endpoint are busy but for the one that it takes,
// and where all the others are idle.
func BenchmarkScheduler(b *testing.B) {
	for _, c := range []struct{ busy, links int }{{1, 1}, {1, 64}, {64, 64}} {
		b.Run(fmt.Sprintf("%d of %d links", c.busy, c.links), func(b *testing.B) {
			now := time.Unix(1000, 0)
			tr := new(noted)
			o := defaults()
			o.limits.maxLinks = c.links
			s := newScheduler(o.limits, new(balance.PeakEWMA), tr)
			s.update([]Address{{Addr: "a:1"}}, now)
			send := func() {
				t := &tag{}
				t.ask = retry.Request{Method: "GET", Replayable: true}
				s.submit(t, now)
				s.next()
			}
			answer := func(r *run) {
				s.head(r, false, 200, nil, now)
				s.next()
				s.ended(r, outcome{}, now)
				s.next()
			}
			for range c.links {
				send()
			}
			for _, r := range tr.runs[:c.links-c.busy] {
				answer(r)
			}
			tr.runs = tr.runs[c.links-c.busy:]
			i := 0
			measure(b, func() error {
				now = now.Add(time.Microsecond)
				answer(tr.runs[i])
				send()
				tr.runs[i], tr.runs = tr.runs[c.busy], tr.runs[:c.busy]
				i = (i + 1) % c.busy
				return nil
			})
		})
	}
}
