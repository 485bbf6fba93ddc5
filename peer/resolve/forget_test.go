package resolve

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCache_asks_anew_for_what_was_forgotten_during_a_look_up(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := &Cache{Resolver: Func(func(context.Context, Name) (Answer, error) {
			asked++
			port := uint16(asked)
			time.Sleep(time.Second)
			return newAnswer([]Endpoint{{Addr: netip.AddrPortFrom(netip.IPv6Loopback(), port)}}, time.Minute), nil
		})}
		defer c.Close()
		name := Name{Host: "a.test"}
		go func() { _, _ = c.Resolve(t.Context(), name) }()
		synctest.Wait()
		c.Forget(name)
		for range 2 {
			a, err := c.Resolve(t.Context(), name)
			require.NoError(t, err)
			assert.EqualValues(t, 2, a.Endpoints[0].Addr.Port(), "not what was asked for before")
		}
		assert.Equal(t, 2, asked)
	})
}
