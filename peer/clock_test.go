package peer

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPeer_tells_times_of_the_wall_clock_as_it_was_set_meanwhile(t *testing.T) {
	m := openMap(t)
	p, err := m.Get("http://127.0.0.1:1/")
	require.NoError(t, err)
	p.decide(func(time.Time) {
		p.clock = time.Now().Add(-time.Minute)
		*(*uint64)(unsafe.Pointer(&p.clock)) += 3600 << 30 // of the seconds on the wall, not of the monotonic clock
	})
	p.decide(func(now time.Time) {
		assert.WithinDuration(t, time.Now().Round(0), now.Round(0), time.Minute)
		assert.WithinDuration(t, time.Now(), now, time.Minute)
	})
}
