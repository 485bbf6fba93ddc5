package grid

import "time"

// breath is the moment that the writer gives to those who are about to send. It lasts until those have had their
// turn who can go on at the time. If they hog the processors, that is tens of milliseconds, and nobody sends
// more for it: then there is none for a while, so that what waits to be sent is seldom late by it.
type breath struct {
	since int64 // when it was taken
	none  int64 // until when there is none
}

const (
	longBreath   = time.Millisecond
	breathless   = 64 // times as long as the breath that was too long
	noBreathMost = 10 * time.Second
)

// take reports whether there is a breath now.
func (b *breath) take(now int64) bool {
	if now < b.none {
		return false
	}
	b.since = now
	return true
}

// taken notes that it is over.
func (b *breath) taken(now int64) {
	if d := time.Duration(now - b.since); d >= longBreath {
		b.none = now + int64(min(breathless*d, noBreathMost))
	}
}
