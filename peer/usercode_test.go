package peer

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

// clumsy is a policy that panics.
type clumsy struct{}

func (clumsy) Pick([]*Endpoint, Key, time.Time) int { panic("no choice") }
func (clumsy) Update([]*Endpoint)                   { panic("no memory") }

func TestPolicy_that_panics_holds_up_nobody(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, WithPolicy(func() Policy { return clumsy{} }))
	for range 2 {
		_, err := m.Do(request(t, http.MethodGet, s.URL))
		require.NoError(t, err)
	}
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	_, err = pin.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
}

func TestResolver_that_panics_finds_nothing(t *testing.T) {
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		panic("no idea")
	})))
	_, err := m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"))
	require.ErrorIs(t, err, ratmom.ErrNameResolution)
	assert.ErrorContains(t, err, "panicked")
}

func TestOptions_that_are_nil_are_passed_over_or_refused(t *testing.T) {
	client, err := ratmom.New()
	require.NoError(t, err)
	defer client.Close()
	for _, o := range []Option{WithPolicy(nil), WithResolver(nil)} {
		_, err := Open(client, o)
		require.Error(t, err)
	}
	s := plain(t, nil)
	m := openMap(t, nil, WithPolicy(func() Policy { return nil }), EachPeer(func(ID) []Option { return []Option{nil} }))
	_, err = m.Do(request(t, http.MethodGet, s.URL), nil)
	require.NoError(t, err)
}
