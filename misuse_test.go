package ratmom_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/peer"
)

func TestNothing_where_something_belongs_is_an_error_or_left_out(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	client, err := ratmom.New(nil, ratmom.Intercept(nil, ratmom.Step{}, nil))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	resp, err := client.Get(s.URL, nil)
	require.NoError(t, err)
	_, err = resp.SaveFile("")
	require.EqualError(t, err, "the file to save to has no name")

	_, err = client.Send(nil)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	_, err = client.Download(nil, "x")
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	_, err = client.Download(req, "")
	require.EqualError(t, err, "the file to save to has no name")
	_, err = client.Tunnel(nil, "127.0.0.1:1") //nolint:staticcheck // it must not panic
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)

	_, err = peer.Open(nil)
	require.ErrorIs(t, err, ratmom.ErrInvalidOption)
	m, err := peer.Open(client, nil)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	_, err = m.Get("example.com")
	require.ErrorContains(t, err, `the URL "example.com" names no HTTP server`)
	for _, bad := range []string{"http://ann:geheim@[/", "gopher://ann:geheim@example.com/"} {
		_, err = m.Get(bad)
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
		assert.NotContains(t, err.Error(), "geheim")
		assert.Contains(t, err.Error(), "://xxxxx@")
	}
}

func TestWaiting_for_nothing_is_an_error_at_once(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	client, err := ratmom.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	require.NoError(t, err)
	f := client.SendAsync(req)
	resp, err := f.Result()
	require.NoError(t, err)

	for name, futures := range map[string][]*ratmom.Future{
		"future 0 is nil": {nil}, "future 1 is nil": {f, nil, f}, "future 2 is nil": {f, f, {}},
	} {
		i, err := ratmom.WaitAny(t.Context(), futures...)
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
		require.ErrorContains(t, err, name)
		assert.Equal(t, -1, i)
		require.ErrorIs(t, ratmom.WaitAll(t.Context(), futures...), ratmom.ErrInvalidRequest)
	}
	var none context.Context
	_, err = ratmom.WaitAny(none, f)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	require.ErrorIs(t, ratmom.WaitAll(none, f), ratmom.ErrInvalidRequest)
	_, err = f.Wait(none)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	_, err = resp.CopyTo(nil)
	require.EqualError(t, err, "there is no writer to copy to")
	_, err = resp.Body.Read(make([]byte, 1))
	require.Error(t, err, "it is closed")
}
