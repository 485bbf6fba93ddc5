package h3test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestHTTP3_POST_sends_a_body_of_unknown_length(t *testing.T) {
	needHTTP3(t)
	s := start(t, testserver.Sink().ServeHTTP)
	client := newClient(t, s.CAFile, config.HTTP3Only)
	for range 20 {
		for _, size := range []int64{0, 1, 10, 100_000, 1 << 20} {
			req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, io.MultiReader(testserver.Pattern(size)))
			require.NoError(t, err)
			resp, err := client.Send(req)
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(size), text)
		}
	}
}

// The end of the body comes alone, long after all that was sent has been acknowledged.
func TestHTTP3_end_of_a_body_is_sent_though_nothing_else_happens(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadFull(r.Body, make([]byte, 5))
		if err == nil {
			err = http.NewResponseController(w).Flush()
		}
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		_, _ = fmt.Fprint(w, err)
	})
	client := newClient(t, s.CAFile, config.HTTP3Only)
	for range 10 {
		body, end := io.Pipe()
		go func() { _, _ = io.WriteString(end, "hello") }()
		req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, body)
		require.NoError(t, err)
		resp, err := client.Send(req)
		require.NoError(t, err)
		require.NoError(t, end.Close())
		text, err := resp.Text()
		require.NoError(t, err)
		require.Equal(t, "<nil>", text)
	}
}
