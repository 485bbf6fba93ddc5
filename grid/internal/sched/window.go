package sched

// Window fits the number of bytes under way to the path: twice what the path
// holds, that is its rate times its shortest round trip.
type Window struct {
	Max int64 // upper bound of the limit

	limit int64

	sampling bool
	mark     uint64 // sample ends when so much is acknowledged
	from     uint64 // what was acknowledged when it began
	began    int64

	rates [4]int64 // bytes a second of the last samples
	at    int

	// The shortest round trip of this interval and of the one before it.
	shortest, before int64
	turned           int64
}

const (
	minWindow   = 256 << 10
	rttInterval = 10_000_000_000

	// A path that is fast and short holds less than its ends have in hand: what is written in turnTime, up to
	// fastWindow, may be under way in any case. More would not stay in the caches of the processors.
	turnTime   = 600_000
	fastWindow = 1 << 20
)

// Limit is how many bytes may be under way.
func (w *Window) Limit() int64 {
	if w.limit == 0 {
		return min(minWindow, max(w.Max, 1))
	}
	return w.limit
}

// RTT notes a round trip of d nanoseconds.
func (w *Window) RTT(d, now int64) {
	if now-w.turned > rttInterval {
		w.before, w.shortest, w.turned = w.shortest, 0, now
	}
	if w.shortest == 0 || d < w.shortest {
		w.shortest = max(d, 1)
	}
	w.fit()
}

// Sent notes that so many bytes were sent, ever.
func (w *Window) Sent(total uint64, now int64) {
	if !w.sampling && total > w.mark {
		w.sampling, w.began, w.from, w.mark = true, now, w.mark, total
	}
}

// Acked notes that so many bytes were acknowledged, ever. If not busy, there was less
// to send than could have been: then the rate says nothing unless it is higher.
func (w *Window) Acked(total uint64, now int64, busy bool) {
	if !w.sampling || total < w.mark {
		return
	}
	w.sampling = false
	if d := now - w.began; d > 0 {
		if rate := int64(float64(total-w.from) * 1e9 / float64(d)); busy || rate > w.rate() {
			w.rates[w.at%len(w.rates)] = rate
			w.at++
			w.fit()
		}
	}
	w.mark = total
}

func (w *Window) rate() (rate int64) {
	for _, r := range w.rates {
		rate = max(rate, r)
	}
	return rate
}

func (w *Window) fit() {
	rate := w.rate()
	rtt := w.shortest
	if w.before != 0 && (rtt == 0 || w.before < rtt) {
		rtt = w.before
	}
	if rate == 0 || rtt == 0 {
		return
	}
	path := int64(2 * float64(rate) * float64(rtt) / 1e9)
	ends := min(int64(float64(rate)*turnTime/1e9), fastWindow)
	w.limit = min(max(path, ends, minWindow), max(w.Max, 1))
}
