package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
)

func TestMap_sends_requests_over_one_link_after_another(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	for range 20 {
		res, err := m.Do(request(t, http.MethodGet, s.URL))
		require.NoError(t, err)
		assert.Equal(t, 200, res.Status)
		assert.NotEmpty(t, res.Content)
		assert.Equal(t, s.Listener.Addr().String(), res.RemoteAddr.String())
	}
	assert.EqualValues(t, 1, s.conns.Load())
	p, err := m.Get(s.URL + "/elsewhere")
	require.NoError(t, err)
	assert.Same(t, p, m.Find(p.ID()))
	assert.Equal(t, s.URL, p.ID().String())
	assert.Equal(t, "HTTP/1.1", p.Facts().Protocol)
	assert.Positive(t, p.Facts().RTT)
	assert.Equal(t, []string{"ready"}, states(p))
	m.CloseIdle()
	eventually(t, "idle links close", func() bool { return len(states(p)) == 0 })
}

func TestMap_holds_its_limit_of_links_and_queues_the_rest_by_priority(t *testing.T) {
	gate := make(chan struct{})
	order := make(chan string, 16)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		order <- r.URL.Path
		<-gate
	})
	m := openMap(t, MaxLinks(1))
	first := m.Go(request(t, http.MethodGet, s.URL+"/first"))
	require.Equal(t, "/first", await(t, order))
	var rest []*Request
	for i := range 3 {
		rest = append(rest, m.Go(request(t, http.MethodGet, fmt.Sprint(s.URL, "/", i)), Priority(i)))
	}
	for _, r := range rest {
		assert.False(t, r.Revealed())
	}
	assert.True(t, first.Revealed())
	close(gate)
	for _, r := range append(rest, first) {
		_, err := r.Result()
		require.NoError(t, err)
		assert.True(t, r.Revealed())
	}
	assert.Equal(t, []string{"/2", "/1", "/0"}, []string{await(t, order), await(t, order), await(t, order)})
	assert.EqualValues(t, 1, s.conns.Load())
}

func TestDo_makes_an_error_of_a_bad_status_unless_told_otherwise(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) })
	m := openMap(t)
	res, err := m.Do(request(t, http.MethodGet, s.URL))
	var se *StatusError
	require.ErrorAs(t, err, &se)
	assert.Same(t, res, se.Result)
	assert.Equal(t, 418, res.Status)
	assert.Equal(t, "no\n", string(res.Content))
	status, err := m.Go(request(t, http.MethodGet, s.URL), AnyStatus()).Status()
	require.NoError(t, err)
	assert.Equal(t, 418, status)
}

func TestDo_receives_into_the_callers_memory(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	m := openMap(t)
	head, buf := make([]byte, 1024), make([]byte, len(content))
	var seen []int64
	res, err := m.Do(request(t, http.MethodGet, s.URL), Into(head, buf), OnProgress(func(n, _ int64) { seen = append(seen, n) }))
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(res.Head, []byte("HTTP/1.1 200")), "%s", res.Head)
	assert.Same(t, &buf[0], &res.Content[0])
	assert.Equal(t, content, buf)
	assert.EqualValues(t, len(content), seen[len(seen)-1])

	_, err = m.Do(request(t, http.MethodGet, s.URL), Into(nil, buf[:100]))
	require.ErrorIs(t, err, ErrOverrun)
	res, err = m.Do(request(t, http.MethodGet, s.URL), Into(nil, buf[:100]), Truncate())
	require.NoError(t, err)
	assert.True(t, res.Truncated)
	assert.Len(t, res.Content, 100)
	_, err = m.Do(request(t, http.MethodGet, s.URL), MaxContent(100_000))
	require.ErrorIs(t, err, ErrOverrun)
	res, err = m.Do(request(t, http.MethodGet, s.URL), KeepParts())
	require.NoError(t, err)
	assert.Nil(t, res.Content)
	assert.Greater(t, len(res.Parts), 1)
	assert.Equal(t, content, bytes.Join(res.Parts, nil))
	_, err = m.Do(request(t, http.MethodGet, s.URL), MaxContent(int64(len(content))))
	require.NoError(t, err, "it just fits")
}

func TestDo_does_not_decode(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, r.Header.Get("Accept-Encoding")+"raw")
	})
	res, err := openMap(t).Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.Equal(t, "raw", string(res.Content))
}

func TestRequest_that_is_cancelled_before_it_is_sent_never_is(t *testing.T) {
	gate := make(chan struct{})
	began := make(chan struct{}, 1)
	s := plain(t, func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-gate })
	m := openMap(t, MaxLinks(1))
	first := m.Go(request(t, http.MethodGet, s.URL))
	await(t, began)
	second := m.Go(request(t, http.MethodPost, s.URL))
	second.Cancel()
	_, err := second.Result()
	require.ErrorIs(t, err, ratmom.ErrCanceled)
	assert.False(t, second.Revealed())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	third := m.Go(request(t, http.MethodPost, s.URL).WithContext(ctx))
	_, err = third.Result()
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	fourth := m.Go(request(t, http.MethodPost, s.URL), Timeout(20*time.Millisecond))
	_, err = fourth.Result()
	require.ErrorIs(t, err, ratmom.ErrTimeout)
	close(gate)
	_, err = first.Result()
	require.NoError(t, err)
	_, err = m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.EqualValues(t, 2, s.hits.Load())
}

func TestRequest_that_is_cancelled_after_it_was_sent_frees_its_link(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	began := make(chan struct{}, 1)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			began <- struct{}{}
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}
	})
	m := openMap(t, MaxLinks(1))
	hang := m.Go(request(t, http.MethodGet, s.URL+"/hang"))
	await(t, began)
	hang.Cancel()
	assert.True(t, hang.Revealed())
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
}

func TestRequest_that_nobody_holds_is_cancelled(t *testing.T) {
	over := make(chan struct{}, 1)
	began := make(chan struct{}, 1)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
		over <- struct{}{}
	})
	m := openMap(t)
	func() { m.Go(request(t, http.MethodGet, s.URL)) }()
	await(t, began)
	eventually(t, "it is cancelled", func() bool {
		runtime.GC()
		return len(over) > 0
	})
}

func TestRequest_leaves_the_callers_memory_alone_once_it_was_cancelled(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	m := openMap(t)
	for i := range 200 {
		out := bytes.Repeat([]byte{'x'}, 1<<20)
		in := make([]byte, len(out))
		req := request(t, http.MethodPost, s.URL)
		req.Body, req.ContentLength = body.Bytes(out), int64(len(out))
		r := m.Go(req, Into(nil, in))
		for range i {
			runtime.Gosched()
		}
		r.Cancel()
		clear(out) // the race detector looks on at what Go does
		clear(in)
		for range 20 {
			runtime.Gosched()
		}
		assert.Equal(t, -1, bytes.IndexByte(in, 'x'))
		_, _ = r.Result()
	}
}

func TestRoundTrip_streams(t *testing.T) {
	more := make(chan struct{})
	s := plain(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-more
		_, _ = io.WriteString(w, "second")
	})
	m := openMap(t)
	hc := &http.Client{Transport: m}
	resp, err := hc.Get(s.URL)
	require.NoError(t, err)
	buf := make([]byte, 5)
	_, err = io.ReadFull(resp.Body, buf)
	require.NoError(t, err)
	assert.Equal(t, "first", string(buf))
	close(more)
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "second", string(rest))
}

func TestMap_leaves_a_peer_alone_that_failed(t *testing.T) {
	m := openMap(t)
	dead := "http://127.0.0.1:1/"
	_, err := m.Do(request(t, http.MethodGet, dead))
	require.ErrorIs(t, err, ratmom.ErrConnect)
	require.NotErrorIs(t, err, ErrUnavailable)
	r := m.Go(request(t, http.MethodGet, dead))
	_, err = r.Result()
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, ratmom.ErrConnect)
	assert.False(t, r.Revealed())
	assert.Equal(t, 1, strings.Count(err.Error(), "before"), "%v", err)
	assert.Equal(t, 1, m.ClearError())
	_, err = m.Do(request(t, http.MethodGet, dead))
	require.NotErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, ratmom.ErrConnect)
}

func TestMap_uses_another_endpoint_when_one_does_not_connect(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return []Address{{Addr: "127.0.0.1:1"}, {Addr: s.Listener.Addr().String()}, {Addr: "127.0.0.1:2"}}, 0, nil
	})))
	for range 20 {
		_, err := m.Do(request(t, http.MethodPost, "http://some.peer.invalid/"))
		require.NoError(t, err)
	}
	assert.EqualValues(t, 20, s.hits.Load())
}

func TestMap_tells_why_there_is_no_address(t *testing.T) {
	m := openMap(t, WithResolver(ResolverFunc(func(context.Context, string, string, string) ([]Address, time.Duration, error) {
		return nil, 0, errors.New("no such peer")
	})))
	_, err := m.Do(request(t, http.MethodGet, "http://some.peer.invalid/"))
	require.ErrorIs(t, err, ratmom.ErrNameResolution)
	assert.ErrorContains(t, err, "no such peer")
}

func TestMap_closes_with_what_is_under_way(t *testing.T) {
	began := make(chan struct{}, 8)
	s := plain(t, func(_ http.ResponseWriter, r *http.Request) { began <- struct{}{}; <-r.Context().Done() })
	m := openMap(t, MaxLinks(2))
	var rs []*Request
	for range 4 {
		rs = append(rs, m.Go(request(t, http.MethodGet, s.URL)))
	}
	await(t, began)
	m.Close()
	m.Close()
	for _, r := range rs {
		_, err := r.Result()
		require.ErrorIs(t, err, ErrClosed)
	}
	_, err := m.Do(request(t, http.MethodGet, s.URL))
	require.ErrorIs(t, err, ErrClosed)
	eventually(t, "the connections close", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.open) == 0 })
}

func TestPrelink_has_a_connection_ready(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	require.NoError(t, m.Prelink(s.URL))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	eventually(t, "a link is ready", func() bool { return strings.Join(states(p), " ") == "ready" })
	res, err := m.Do(request(t, http.MethodGet, s.URL))
	require.NoError(t, err)
	assert.True(t, res.Reused)
	assert.EqualValues(t, 1, s.conns.Load())
}
