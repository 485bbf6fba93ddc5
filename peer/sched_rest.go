package peer

import "time"

// An endpoint that asks to be left alone rests. As long as others do not, none of what is new goes there;
// when all rest, it is the peer that is left alone, which whoever gives the scheduler requests knows.

// rest leaves an endpoint alone for a time. If all rest now, it tells when the first one will not any more.
func (s *scheduler) rest(e *endpoint, d time.Duration, now time.Time) (all bool, until time.Time) {
	if e.gone || d <= 0 {
		return false, time.Time{}
	}
	if end := now.Add(d); end.After(e.rests) {
		e.rests = end
	}
	all = s.findResting(now)
	s.place(now) // there may be others to use now: of the next priority, or that rest as well
	return all, s.restEnd
}

// rest is how much longer the endpoint rests.
func (e *endpoint) rest(now time.Time) Seconds {
	if e.rests.IsZero() {
		return 0
	}
	return seconds(e.rests.Sub(now))
}

// findResting finds out which endpoints rest, whether all of them do, and when that changes.
func (s *scheduler) findResting(now time.Time) (all bool) {
	all, s.restEnd = true, time.Time{}
	for _, e := range s.endpoints {
		if e.gone {
			continue
		}
		if !e.rests.After(now) {
			e.rests = time.Time{}
			all = false
		} else if s.restEnd.IsZero() || e.rests.Before(s.restEnd) {
			s.restEnd = e.rests
		}
	}
	for _, e := range s.endpoints {
		e.off = !all && !e.gone && !e.rests.IsZero()
	}
	return all
}

// allRest is when the first endpoint does not rest any more, if all do; zero: not all do.
func (s *scheduler) allRest() time.Time {
	for _, e := range s.endpoints {
		if !e.gone && e.rests.IsZero() {
			return time.Time{}
		}
	}
	return s.restEnd
}

// rested takes back into use what has rested long enough.
func (s *scheduler) rested(now time.Time) {
	if !s.restEnd.IsZero() && !s.restEnd.After(now) {
		s.findResting(now)
		s.serveAll(now)
	}
}

// awaken ends all rests.
func (s *scheduler) awaken(now time.Time) {
	for _, e := range s.endpoints {
		e.rests = time.Time{}
	}
	s.findResting(now)
	s.serveAll(now)
	s.place(now)
}

func (s *scheduler) serveAll(now time.Time) {
	for p := range s.pins {
		s.serve(p, now)
	}
}
