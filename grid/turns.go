package grid

import "time"

// turns knows whether to let others have their turn lasts no more than a moment. Where goroutines that compute take all
// processors it lasts as long as theirs do.
type turns struct{ long int64 } // until when it is taken to last longer

const (
	longTurn = int64(time.Millisecond)
	// longTurns is after how many times as long as such a turn has lasted another one is tried.
	longTurns = 20
)

func (t *turns) short(now int64) bool { return now >= t.long }

// took notes that a turn that ends now has lasted d.
func (t *turns) took(d, now int64) {
	if d > longTurn {
		t.long = now + longTurns*d
	}
}
