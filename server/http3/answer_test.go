package http3

import (
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each is a way of an answer to its stream that waits when the client does not read.
var floods = map[string]func(w http.ResponseWriter) error{
	"/write": func(w http.ResponseWriter) error {
		_, err := w.Write(make([]byte, 1<<20))
		return err
	},
	"/flush": func(w http.ResponseWriter) (err error) {
		for control := http.NewResponseController(w); err == nil; err = control.Flush() {
			_, _ = io.WriteString(w, "a little")
		}
		return err
	},
}

func TestServer_resets_streams_that_are_not_read(t *testing.T) {
	failed := make(chan error, len(floods))
	url := start(t, &Server{WriteRate: 1 << 20, WriteGrace: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		flood, there := floods[r.URL.Path]
		if !there {
			_, _ = io.WriteString(w, "little")
			return
		}
		err := flood(w)
		_, again := w.Write([]byte("more"))
		assert.Equal(t, err, again)
		failed <- err
	})})
	tr := &h3.Transport{TLSClientConfig: clientTLS(), QUICConfig: &quic.Config{
		InitialStreamReceiveWindow: 8 << 10, MaxStreamReceiveWindow: 8 << 10,
	}}
	t.Cleanup(func() { _ = tr.Close() })
	c := &http.Client{Transport: tr, Timeout: patience}
	var unread []io.ReadCloser
	var reset *h3.Error
	for path := range floods {
		resp, err := c.Get(url + path)
		if err != nil { // on a busy machine a second is little
			require.ErrorAs(t, err, &reset)
			continue
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		unread = append(unread, resp.Body)
	}
	for range floods {
		select {
		case err := <-failed:
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		case <-time.After(patience):
			require.Fail(t, "somebody still waits")
		}
	}
	for _, body := range unread {
		_, err := io.ReadAll(body)
		require.ErrorAs(t, err, &reset, "what was cut off looks whole")
	}
	assert.Eventually(t, func() bool { return try(c, url) == nil }, patience, time.Millisecond, "the connection is harmed")
}

// A handler's own deadline takes the place of the rate, and its end gives it back.
func TestServer_leaves_a_deadline_of_the_handler_alone(t *testing.T) {
	results := make(chan error, 1)
	url := start(t, &Server{WriteRate: 1 << 20, WriteGrace: time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		begun := time.Now()
		assert.NoError(t, control.SetWriteDeadline(begun.Add(200*time.Millisecond)))
		_, err := w.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) < 200*time.Millisecond {
			results <- errors.Join(errors.New("after "+time.Since(begun).String()), err)
			return
		}
		assert.NoError(t, control.SetWriteDeadline(time.Time{}))
		_, err = w.Write(make([]byte, 1<<20))
		results <- err
	})})
	tr := &h3.Transport{TLSClientConfig: clientTLS(), QUICConfig: &quic.Config{MaxStreamReceiveWindow: 8 << 10, InitialStreamReceiveWindow: 8 << 10}}
	t.Cleanup(func() { _ = tr.Close() })
	resp, err := (&http.Client{Transport: tr, Timeout: patience}).Get(url)
	if err == nil { // it may have been reset by now
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	select {
	case err := <-results:
		assert.Equal(t, os.ErrDeadlineExceeded, errors.Unwrap(err))
	case <-time.After(patience):
		assert.Fail(t, "the handler still waits")
	}
}

func TestServer_gives_handlers_what_quic_go_gives_them(t *testing.T) {
	for _, rate := range []int{0, -1} {
		url := start(t, &Server{WriteRate: rate, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Implements(t, (*http.Flusher)(nil), w)
			control := http.NewResponseController(w)
			assert.NoError(t, control.SetReadDeadline(time.Now().Add(patience)))
			assert.NoError(t, control.SetWriteDeadline(time.Now().Add(patience)))
			settings := w.(h3.Settingser)
			<-settings.ReceivedSettings()
			assert.NotNil(t, settings.Settings())
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusTeapot)
			stream, err := w.(h3.HTTPStreamer).HTTPStream()
			if assert.NoError(t, err) {
				_, err = io.WriteString(stream, "mine")
				assert.NoError(t, err)
				assert.NoError(t, stream.Close())
			}
		})})
		assert.Equal(t, "mine", fetch(t, newClient(t), url))
	}
}
