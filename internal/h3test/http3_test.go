package h3test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestHTTP3_GET_brings_head_and_body(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Path", r.URL.RequestURI())
		w.Header().Set("X-Asked", r.Header.Get("X-Ask"))
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "hello over "+r.Proto)
	})
	client := newClient(t, s.CAFile, config.HTTP3Only)
	req, err := http.NewRequestWithContext(patient(t), "GET", s.URL+"/a/b?c=d", nil)
	require.NoError(t, err)
	req.Header.Set("X-Ask", "something")
	resp, err := client.Send(req)
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	require.Equal(t, "hello over HTTP/3.0", text)
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
	require.Equal(t, "HTTP/3.0", resp.Proto)
	require.Equal(t, 3, resp.ProtoMajor)
	require.Equal(t, "/a/b?c=d", resp.Header.Get("X-Path"))
	require.Equal(t, "something", resp.Header.Get("X-Asked"))
}

func TestHTTP3_HEAD_and_statuses_without_a_body(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Length", "1000")
	})
	client := newClient(t, s.CAFile, config.HTTP3Only)
	resp, err := client.Head(s.URL)
	require.NoError(t, err)
	require.EqualValues(t, 1000, resp.ContentLength)
	require.NoError(t, resp.Discard())
	resp, err = client.Get(s.URL + "/none")
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	body, err := resp.Bytes()
	require.NoError(t, err)
	require.Empty(t, body)
}

func TestHTTP3_POST_sends_a_body_of_known_length(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
		testserver.Sink().ServeHTTP(w, r)
	})
	client := newClient(t, s.CAFile, config.HTTP3Only)
	for _, size := range []int64{1, 10, 3 << 20} {
		req, err := http.NewRequestWithContext(patient(t), "POST", s.URL, io.NopCloser(testserver.Pattern(size)))
		require.NoError(t, err)
		req.ContentLength = size
		resp, err := client.Send(req)
		require.NoError(t, err)
		text, err := resp.Text()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(size), text)
		require.Equal(t, fmt.Sprint(size), resp.Header.Get("X-Length"))
	}
}

func TestHTTP3_body_waits_for_a_slow_reader(t *testing.T) {
	needHTTP3(t)
	const size = 8 << 20
	s := start(t, testserver.Blob(size).ServeHTTP)
	client := newClient(t, s.CAFile, config.HTTP3Only)
	resp, err := client.Send(get(t, patient(t), s.URL))
	require.NoError(t, err)
	defer resp.Body.Close()
	// While nobody reads this one, others go through on the same connection.
	for range 3 {
		other, err := client.Send(get(t, patient(t), s.URL))
		require.NoError(t, err)
		n, err := testserver.CheckPattern(other.Body)
		require.NoError(t, err)
		require.EqualValues(t, size, n)
		require.NoError(t, other.Body.Close())
	}
	n, err := testserver.CheckPattern(resp.Body)
	require.NoError(t, err)
	require.EqualValues(t, size, n)
}

func TestHTTP3_requests_share_a_connection(t *testing.T) {
	needHTTP3(t)
	var mu sync.Mutex
	peers := map[string]int{}
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr]++
		mu.Unlock()
		_, _ = io.WriteString(w, r.URL.Path)
	})
	client := newClient(t, s.CAFile, config.HTTP3Only, config.Agents(1))
	ask := func(path string) {
		resp, err := client.Send(get(t, patient(t), s.URL+path))
		if !assert.NoError(t, err) {
			return
		}
		text, err := resp.Text()
		assert.NoError(t, err)
		assert.Equal(t, path, text)
	}
	ask("/first")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for j := range 5 {
				ask(fmt.Sprintf("/%d/%d", i, j))
			}
		})
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	t.Logf("101 requests on %d connections", len(peers))
	require.Len(t, peers, 1)
}

func TestHTTP3_cancel_ends_the_request_and_tells_the_server(t *testing.T) {
	needHTTP3(t)
	began, gone := make(chan struct{}, 8), make(chan struct{}, 8)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hello" {
			_, _ = io.WriteString(w, "hello")
			return
		}
		if r.URL.Path == "/head" {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
		}
		began <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	client := newClient(t, s.CAFile, config.HTTP3Only)
	for _, path := range []string{"/silent", "/head"} {
		t.Run(path, func(t *testing.T) {
			ctx, cancel := context.WithCancel(patient(t))
			defer cancel()
			f := client.SendAsync(get(t, ctx, s.URL+path))
			<-began
			var resp *ratmom.Response
			if path == "/head" {
				var err error
				resp, err = f.Result()
				require.NoError(t, err)
				defer resp.Body.Close()
			}
			begin := time.Now()
			cancel()
			var err error
			if resp == nil {
				_, err = f.Result()
			} else {
				_, err = resp.Body.Read(make([]byte, 1))
			}
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, ratmom.ErrCanceled)
			t.Logf("ended after %v", time.Since(begin))
			select {
			case <-gone:
				t.Logf("the server knew after %v", time.Since(begin))
			case <-time.After(patience):
				t.Fatal("the server was not told")
			}
			after, err := client.Send(get(t, patient(t), s.URL+"/hello"))
			require.NoError(t, err)
			text, err := after.Text()
			require.NoError(t, err)
			require.Equal(t, "hello", text)
		})
	}
}

func TestHTTP3_body_that_the_server_breaks_off_is_truncated(t *testing.T) {
	needHTTP3(t)
	received := make(chan struct{}) // a reset may overtake what was sent before it
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
		<-received
		panic(http.ErrAbortHandler)
	})
	var once sync.Once
	release := func() { once.Do(func() { close(received) }) }
	t.Cleanup(release)
	client := newClient(t, s.CAFile, config.HTTP3Only)
	resp, err := client.Send(get(t, patient(t), s.URL))
	require.NoError(t, err)
	defer resp.Body.Close()
	part := make([]byte, 5)
	_, err = io.ReadFull(resp.Body, part)
	require.NoError(t, err)
	require.Equal(t, "hello", string(part))
	release()
	_, err = io.ReadAll(resp.Body)
	require.ErrorIs(t, err, ratmom.ErrTruncated)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestHTTP3_stream_that_the_server_resets_unanswered_is_an_error(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	client := newClient(t, s.CAFile, config.HTTP3Only)
	_, err := client.Send(get(t, patient(t), s.URL))
	require.ErrorIs(t, err, ratmom.ErrHTTP3)
}

func TestHTTP3_follows_redirects(t *testing.T) {
	needHTTP3(t)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/end" {
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
			return
		}
		testserver.Echo().ServeHTTP(w, r)
	})
	client := newClient(t, s.CAFile, config.HTTP3Only)
	resp, err := client.Post(s.URL+"/begin", "text/plain", strings.NewReader("kept"))
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	require.Equal(t, "kept", text)
	require.Equal(t, "/end", resp.EffectiveURL.Path)
	require.Equal(t, "HTTP/3.0", resp.Proto)
}

func get(t testing.TB, ctx context.Context, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	require.NoError(t, err)
	return req
}
