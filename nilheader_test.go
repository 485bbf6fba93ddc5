package ratmom_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

func TestSend_leaves_out_fields_that_the_header_has_without_a_value(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Header.Write(w)
	}))
	defer s.Close()
	c, err := ratmom.New()
	require.NoError(t, err)
	defer func() { _ = c.Close() }()

	// Of that length libcurl would send Expect by itself.
	body := io.MultiReader(bytes.NewReader(make([]byte, 2<<20)))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, body)
	require.NoError(t, err)
	names := []string{"Accept", "Accept-Encoding", "Content-Type", "Expect", "User-Agent"}
	for _, name := range names {
		req.Header[name] = nil
	}
	resp, err := c.Send(req)
	require.NoError(t, err)
	got, err := resp.Text()
	require.NoError(t, err)
	for _, name := range names {
		assert.NotContains(t, got, name+":")
	}
}
