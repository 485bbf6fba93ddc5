package health

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// The defaults of Outliers, but for the jitter Envoy's.
const (
	DefaultConsecutive     = 5
	DefaultInterval        = 10 * time.Second
	DefaultEjection        = 30 * time.Second
	DefaultMaxEjection     = 300 * time.Second
	DefaultEjectionJitter  = 0.1
	DefaultMaxShare        = 0.1
	DefaultFailureRate     = 0.85
	DefaultFailureRequests = 50
	DefaultDeviations      = 1.9
	DefaultRateHosts       = 5
	DefaultRateRequests    = 100
)

// OutlierPolicy says when [Outliers] ejects an endpoint, and for how long. The zero value has
// the defaults. Durations that are not positive are defaults.
type OutlierPolicy struct {
	Consecutive     int           // failures; 0 is 5, below 0 is never
	Interval        time.Duration // default 10 s
	Ejection        time.Duration // default 30 s
	MaxEjection     time.Duration // default 300 s
	Jitter          float64       // share; 0 is 0.1, below 0 is none
	MaxShare        float64       // share; 0 is 0.1, below 0 lets only one be ejected
	FailureRate     float64       // share; 0 is 0.85, below 0 is never
	FailureRequests int           // 0 is 50
	Deviations      float64       // 0 is 1.9, below 0 is never
	RateHosts       int           // 0 is 5
	RateRequests    int           // 0 is 100
}

// Outliers ejects endpoints that fail. The scheduler adds the endpoints, reports what
// each request came to, and calls [Outliers.Tick] at [Outliers.Next].
//
// An endpoint is ejected
//
//   - at once, when Consecutive requests have failed one after another;
//   - at the end of an Interval in which it had FailureRequests requests or more, of
//     which at least the share FailureRate failed;
//   - at the end of an Interval in which at least RateHosts endpoints had RateRequests
//     requests or more, and its share of successes is below m − Deviations·σ, with m the
//     mean of those endpoints' shares and σ their standard deviation.
//
// It stays ejected for min(Ejection·n, MaxEjection), and up to the share Jitter of that
// longer; n counts its ejections in a row: it falls by one with each Interval in which
// the endpoint was in use. At most the share MaxShare of the endpoints is ejected at
// once, but of two or more one may always be; the worst go first. A peer's only endpoint
// is never ejected.
//
// Set the fields before the first use.
type Outliers struct {
	Policy OutlierPolicy

	// Rand is where jitter comes from; nil is the runtime's.
	Rand *rand.Rand

	hosts   []*outlier // in the order in which they were added
	byID    map[uint64]*outlier
	ejected int
	ends    time.Time // of the interval
}

// outlier is an endpoint as Outliers sees it.
type outlier struct {
	id               uint64
	good, bad        int // in this interval
	inARow           int // failures
	ejected          bool
	wasEjected       bool // at some time in this interval
	until            time.Time
	times            int
	successes, fails float64 // shares, at the end of the interval
}

// Cause is why an endpoint was ejected, or came back.
type Cause string

// The causes.
const (
	CauseConsecutive Cause = "consecutive failures"
	CauseFailureRate Cause = "failure rate"
	CauseSuccessRate Cause = "success rate"

	CauseExpired    Cause = "its time is over"
	CauseReadmitted Cause = "readmitted"
	CauseTooMany    Cause = "too many are ejected"
	CauseRemoved    Cause = "removed"
)

// Event says that an endpoint was ejected or came back.
type Event struct {
	ID      uint64
	Ejected bool
	Cause   Cause
	Until   time.Time // of an ejection
	Times   int       // of an ejection: how often in a row
}

// Add begins to watch an endpoint.
func (o *Outliers) Add(id uint64, now time.Time) {
	if o.byID == nil {
		o.byID = make(map[uint64]*outlier)
		o.ends = now.Add(positive(o.Policy.Interval, DefaultInterval))
	}
	if o.byID[id] == nil {
		h := &outlier{id: id}
		o.byID[id] = h
		o.hosts = append(o.hosts, h)
	}
}

// Remove forgets an endpoint. Fewer endpoints may mean that fewer may be ejected: then
// those whose time is over first come back.
func (o *Outliers) Remove(id uint64, now time.Time) (events []Event) {
	h := o.byID[id]
	if h == nil {
		return nil
	}
	if h.ejected {
		events = append(events, o.readmit(h, CauseRemoved))
	}
	delete(o.byID, id)
	o.hosts = slices.DeleteFunc(o.hosts, func(other *outlier) bool { return other == h })
	for o.ejected > o.allowed() {
		var first *outlier
		for _, h := range o.hosts {
			if h.ejected && (first == nil || h.until.Before(first.until)) {
				first = h
			}
		}
		events = append(events, o.readmit(first, CauseTooMany))
	}
	return events
}

// Report says what a request to an endpoint came to: ok, or a failure that is the
// endpoint's fault (no connection, no response, 5xx). That of an endpoint that is
// ejected or unknown counts nothing.
func (o *Outliers) Report(id uint64, ok bool, now time.Time) (Event, bool) {
	h := o.byID[id]
	if h == nil || h.ejected {
		return Event{}, false
	}
	if ok {
		h.good++
		h.inARow = 0
		return Event{}, false
	}
	h.bad++
	h.inARow++
	if n := count(o.Policy.Consecutive, DefaultConsecutive); n > 0 && h.inARow >= n {
		return o.eject(h, CauseConsecutive, now)
	}
	return Event{}, false
}

// Readmit ends an ejection before its time: an active check has succeeded, or somebody
// knows better.
func (o *Outliers) Readmit(id uint64) (Event, bool) {
	h := o.byID[id]
	if h == nil || !h.ejected {
		return Event{}, false
	}
	return o.readmit(h, CauseReadmitted), true
}

// Ejected says whether an endpoint is ejected.
func (o *Outliers) Ejected(id uint64) bool {
	h := o.byID[id]
	return h != nil && h.ejected
}

// Until is when the ejection of an endpoint ends; zero if it is not ejected.
func (o *Outliers) Until(id uint64) time.Time {
	if h := o.byID[id]; h != nil {
		return h.until
	}
	return time.Time{}
}

// Next is when Tick should be called next; zero if there is nothing to wait for.
func (o *Outliers) Next() time.Time {
	if len(o.hosts) == 0 {
		return time.Time{}
	}
	next := o.ends
	for _, h := range o.hosts {
		if h.ejected && h.until.Before(next) {
			next = h.until
		}
	}
	return next
}

// Tick ends the ejections whose time is over, and the interval when it is.
func (o *Outliers) Tick(now time.Time) (events []Event) {
	for _, h := range o.hosts {
		if h.ejected && !now.Before(h.until) {
			events = append(events, o.readmit(h, CauseExpired))
		}
	}
	if len(o.hosts) == 0 || now.Before(o.ends) {
		return events
	}
	o.ends = now.Add(positive(o.Policy.Interval, DefaultInterval))
	for _, h := range o.hosts {
		if n := h.good + h.bad; n > 0 {
			h.successes = float64(h.good) / float64(n)
			h.fails = float64(h.bad) / float64(n)
		}
		if !h.wasEjected && h.times > 0 {
			h.times--
		}
	}
	events = append(events, o.byRate(now)...)
	for _, h := range o.hosts {
		h.good, h.bad, h.wasEjected = 0, 0, h.ejected
	}
	return events
}

// byRate ejects at the end of an interval, the worst first.
func (o *Outliers) byRate(now time.Time) (events []Event) {
	rate := share(o.Policy.FailureRate, DefaultFailureRate)
	requests := max(count(o.Policy.FailureRequests, DefaultFailureRequests), 1)
	threshold := o.threshold()
	worst := slices.Clone(o.hosts)
	slices.SortStableFunc(worst, func(a, b *outlier) int { return cmp.Compare(a.successes, b.successes) })
	for _, h := range worst {
		cause := Cause("")
		switch n := h.good + h.bad; {
		case h.ejected:
		case rate > 0 && n >= requests && h.fails >= rate:
			cause = CauseFailureRate
		case n >= o.rateRequests() && h.successes < threshold:
			cause = CauseSuccessRate
		}
		if cause == "" {
			continue
		}
		if e, ok := o.eject(h, cause, now); ok {
			events = append(events, e)
		}
	}
	return events
}

func (o *Outliers) rateRequests() int {
	return max(count(o.Policy.RateRequests, DefaultRateRequests), 1)
}

// threshold is the share of successes that is the least, −∞ where too few endpoints
// had enough requests to say so.
func (o *Outliers) threshold() float64 {
	deviations := share(o.Policy.Deviations, DefaultDeviations)
	n, sum, squares := 0.0, 0.0, 0.0
	for _, h := range o.hosts {
		if !h.ejected && h.good+h.bad >= o.rateRequests() {
			n++
			sum += h.successes
		}
	}
	if deviations == 0 || n < float64(max(count(o.Policy.RateHosts, DefaultRateHosts), 1)) {
		return math.Inf(-1)
	}
	mean := sum / n
	for _, h := range o.hosts {
		if !h.ejected && h.good+h.bad >= o.rateRequests() {
			squares += (h.successes - mean) * (h.successes - mean)
		}
	}
	return mean - deviations*math.Sqrt(squares/n)
}

// allowed is how many may be ejected at once.
func (o *Outliers) allowed() int {
	n := len(o.hosts)
	if n < 2 {
		return 0
	}
	return max(int(min(share(o.Policy.MaxShare, DefaultMaxShare), 1)*float64(n)), 1)
}

func (o *Outliers) eject(h *outlier, cause Cause, now time.Time) (Event, bool) {
	if o.ejected >= o.allowed() {
		return Event{}, false
	}
	base := positive(o.Policy.Ejection, DefaultEjection)
	limit := max(positive(o.Policy.MaxEjection, DefaultMaxEjection), base)
	most := int((limit + base - 1) / base) // more would only take longer to fall again
	h.times = min(h.times+1, most)
	d := min(base*time.Duration(h.times), limit)
	d += time.Duration(float(o.Rand) * share(o.Policy.Jitter, DefaultEjectionJitter) * float64(d))
	h.ejected, h.wasEjected, h.until = true, true, now.Add(d)
	o.ejected++
	return Event{ID: h.id, Ejected: true, Cause: cause, Until: h.until, Times: h.times}, true
}

func (o *Outliers) readmit(h *outlier, cause Cause) Event {
	h.ejected, h.until = false, time.Time{}
	h.good, h.bad, h.inARow = 0, 0, 0
	o.ejected--
	return Event{ID: h.id, Cause: cause}
}
