package http3

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	h3 "github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
)

// streamed is a response whose stream can be taken over. It knows the deadline.
type streamed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *streamed) HTTPStream() (*h3.Stream, error) { return new(h3.Stream), nil }

func (w *streamed) SetWriteDeadline(t time.Time) error {
	w.deadline = t
	return nil
}

func TestServer_leaves_a_stream_alone_that_a_handler_has_taken(t *testing.T) {
	for take, deadline := range map[bool]bool{false: true, true: false} {
		w := &streamed{ResponseRecorder: httptest.NewRecorder()}
		new(Server).handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if take {
				_, err := w.(h3.HTTPStreamer).HTTPStream()
				assert.NoError(t, err)
			}
		}), w, httptest.NewRequest(http.MethodConnect, "/", nil))
		assert.Equal(t, deadline, !w.deadline.IsZero(), "taken: %v", take)
	}
}
