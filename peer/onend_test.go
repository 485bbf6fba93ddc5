package peer

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnEnd_is_called_once_for_whatever_end(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	ended := make(chan string, 16)
	end := func(name string) RequestOption { return OnEnd(func() { ended <- name }) }
	_, err := m.Do(request(t, http.MethodGet, s.URL), end("answered"))
	require.NoError(t, err)
	assert.Equal(t, "answered", await(t, ended))
	_, err = m.Do(request(t, http.MethodGet, "http://127.0.0.1:1/"), end("failed"))
	require.Error(t, err)
	assert.Equal(t, "failed", await(t, ended))
	r := m.Go(&http.Request{}, end("refused"))
	assert.Equal(t, "refused", await(t, ended))
	r.Cancel()
	assert.Empty(t, ended)
}
