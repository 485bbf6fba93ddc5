package endurance

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// A handler that does not read the body: Go's server answers, and then resets the stream with NO_ERROR.
func TestAnswer_to_an_upload_that_nobody_reads_is_whole_or_said_to_be_lost(t *testing.T) {
	s := testserver.Start(t, testserver.H2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "not for you")
	}))
	client := clientFor(t, testserver.H2, s.CAFile)
	for i := range 300 {
		req := request(t, patient(t), http.MethodPost, s.URL)
		req.Body = io.NopCloser(bytes.NewReader(make([]byte, 1+i*100)))
		req.ContentLength = int64(1 + i*100)
		resp, err := client.Send(req)
		if err == nil {
			var text string
			if text, err = resp.Text(); err == nil {
				require.Equal(t, "not for you", text)
				continue
			}
		}
		require.Less(t, int(cgo.Features().Version), 0x080000, "%v", err)
		require.ErrorIs(t, err, ratmom.ErrHTTP2)
		require.ErrorContains(t, err, "loses that answer")
	}
}
