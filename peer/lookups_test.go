package peer

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookups_that_hang_do_not_keep_others_waiting(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, WithResolver(ResolverFunc(func(ctx context.Context, _, host, _ string) ([]Address, time.Duration, error) {
		if host == "good.example" {
			return []Address{{Addr: s.Listener.Addr().String()}}, 0, nil
		}
		<-ctx.Done()
		return nil, 0, ctx.Err()
	})))
	var rs []*Request
	for i := range 50 {
		rs = append(rs, m.Go(request(t, http.MethodGet, fmt.Sprintf("http://bad%d.example/", i))))
	}
	res, err := m.Do(request(t, http.MethodGet, "http://good.example/"), Timeout(patience))
	require.NoError(t, err)
	assert.Equal(t, 200, res.Status)
	m.Close()
	for _, r := range rs {
		_, err := r.Result()
		require.ErrorIs(t, err, ErrClosed)
	}
}
