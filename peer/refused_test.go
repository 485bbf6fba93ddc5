package peer

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// libcurl closes a connection whose server has refused a stream (http2.c, "REFUSED_STREAM, try again on a new
// connection"), so that there is none for another try.
func TestPin_whose_stream_is_refused_is_lost_with_its_connection(t *testing.T) {
	s := testserver.Frames(t, testserver.RefuseStreams(1, "ok"), testserver.WithTLS())
	m := openMap(t, trusting(), Requests(config.HTTPVersion(config.HTTP2)))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	pin, err := p.Pin()
	require.NoError(t, err)
	defer pin.Release()
	_, err = pin.Do(request(t, http.MethodPost, s.URL))
	require.ErrorIs(t, err, ErrPinLost)
	require.ErrorIs(t, err, ratmom.ErrHTTP2, "it says why")
	_, err = pin.Do(request(t, http.MethodPost, s.URL))
	require.ErrorIs(t, err, ErrPinLost)
	assert.Len(t, s.Requests(), 1)

	res, err := m.Do(request(t, http.MethodPost, s.URL))
	require.NoError(t, err)
	assert.Equal(t, "ok", string(res.Content))
	assert.NotZero(t, s.Requests()[1].Conn, "it is another connection")
}
