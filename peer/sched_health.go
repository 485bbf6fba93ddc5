package peer

import (
	"time"

	"github.com/ratmom/ratmom/peer/health"
)

// report tells the outlier ejection what a run came to, and whether that has changed what
// may be used.
func (s *scheduler) report(e *endpoint, ok bool, now time.Time) bool {
	ev, changed := s.outliers.Report(e.ID, ok, now)
	if changed {
		s.ejection(ev, now)
	}
	return changed
}

// ejection takes an endpoint out of use, with its links, or back.
func (s *scheduler) ejection(ev health.Event, now time.Time) {
	for _, e := range s.endpoints {
		if e.ID != ev.ID {
			continue
		}
		e.Down = ev.Ejected
		if !ev.Ejected {
			e.Since = now
			s.count.Restores++
			continue
		}
		s.count.Ejections++
		for _, l := range append([]*link(nil), s.links...) {
			if l.ep == e && l.pin == nil {
				l.because(EndEjected)
				s.drain(l)
			}
		}
		return
	}
}
