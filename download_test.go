package ratmom_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// cutting serves a resource, and cuts the bodies of the first requests after so many
// bytes of them.
type cutting struct {
	change func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	etag   string
	text   string
	cuts   []int

	mu     sync.Mutex
	ranges []string
	conds  []string
}

// seen are the Range and If-Range fields of the requests so far.
func (c *cutting) seen() (ranges, conds []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ranges), slices.Clone(c.conds)
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	n := len(c.ranges)
	c.ranges = append(c.ranges, r.Header.Get("Range"))
	c.conds = append(c.conds, r.Header.Get("If-Range"))
	c.mu.Unlock()
	if c.change != nil && c.change(w, r) {
		return
	}
	if c.etag != "" {
		w.Header().Set("Etag", c.etag)
	}
	out := w
	if n < len(c.cuts) {
		out = &cutWriter{w, c.cuts[n]}
	}
	http.ServeContent(out, r, "a", time.Time{}, strings.NewReader(c.text))
}

// cutWriter aborts the response.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func download(t *testing.T, c *ratmom.Client, url, name string, opts ...config.RequestOption) (int64, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	return c.Download(req, name, opts...)
}

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

func digitsOf(n int) string { return strings.Repeat("0123456789", n/10) }

func TestDownload_goes_on_where_it_broke_off(t *testing.T) {
	text := digitsOf(200_000)
	for _, mode := range []testserver.Mode{testserver.H1, testserver.H2} {
		h := &cutting{text: text, etag: `"v1"`, cuts: []int{100_000, 50_000}}
		s := testserver.Start(t, mode, h)
		var opts []config.ClientOption
		if s.CAFile != "" {
			opts = append(opts, config.CAFile(s.CAFile))
		}
		name := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(name, []byte("before"), 0o600))
		for i := range 2 {
			_, err := download(t, newTestClient(t, opts...), s.URL, name)
			require.Error(t, err, i)
			assert.Equal(t, "before", content(t, name), "the file is replaced as a whole")
		}
		n, err := download(t, newTestClient(t, opts...), s.URL, name)
		require.NoError(t, err)
		assert.EqualValues(t, len(text), n)
		assert.Equal(t, text, content(t, name))
		assert.Equal(t, []string{"file"}, names(t, filepath.Dir(name)))
		ranges, conds := h.seen()
		assert.Equal(t, []string{"", `"v1"`, `"v1"`}, conds)
		assert.Empty(t, ranges[0])
		first := func(s string) int {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(s, "bytes="), "-"))
			require.NoError(t, err)
			return n
		}
		assert.Positive(t, first(ranges[1]))
		assert.Greater(t, first(ranges[2]), first(ranges[1]))
	}
}

// partial leaves the part of a download, 4 of "0123456789", and what is known of it.
func partial(t *testing.T, url string, state string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name+".part", []byte("0123"), 0o600))
	if state == "" {
		state = `{"URL":"` + url + `","Validator":"\"v1\""}`
	}
	require.NoError(t, os.WriteFile(name+".part.json", []byte(state), 0o600))
	return name
}

func TestDownload_begins_anew_when_it_cannot_go_on(t *testing.T) {
	answer := func(status int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "456789")
			return true
		}
	}
	for name, c := range map[string]struct {
		change   func(http.ResponseWriter, *http.Request) bool
		etag     string
		requests int
	}{
		"goes on":                    {nil, `"v1"`, 1},
		"changed":                    {nil, `"v2"`, 1},
		"no ranges":                  {func(w http.ResponseWriter, _ *http.Request) bool { _, _ = io.WriteString(w, "0123456789"); return true }, "", 1},
		"If-Range not known":         {answer(206, "Content-Range", "bytes 4-9/10", "Etag", `"v2"`), `"v2"`, 2},
		"another range":              {answer(206, "Content-Range", "bytes 3-9/10"), `"v1"`, 2},
		"no range":                   {answer(206), `"v1"`, 2},
		"not to the end":             {answer(206, "Content-Range", "bytes 4-8/10"), `"v1"`, 2},
		"another length":             {answer(206, "Content-Range", "bytes 4-9/10", "Content-Length", "6", "Etag", `"v1"`), `"v1"`, 1},
		"a wrong length":             {answer(206, "Content-Range", "bytes 4-10/11", "Content-Length", "6"), `"v1"`, 2},
		"several ranges":             {answer(206, "Content-Type", "multipart/byteranges; boundary=x"), `"v1"`, 2},
		"encoded":                    {answer(206, "Content-Range", "bytes 4-9/10", "Content-Encoding", "br"), `"v1"`, 2},
		"out of range":               {answer(416, "Content-Range", "bytes */3"), `"v1"`, 2},
		"out of range, of no length": {answer(416), `"v1"`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := &cutting{text: "0123456789", etag: c.etag, change: c.change}
			s := testserver.Start(t, testserver.H1, h)
			file := partial(t, s.URL, "")
			n, err := download(t, newTestClient(t), s.URL, file)
			require.NoError(t, err)
			assert.EqualValues(t, 10, n)
			assert.Equal(t, "0123456789", content(t, file))
			assert.Equal(t, []string{"file"}, names(t, filepath.Dir(file)))
			ranges, conds := h.seen()
			assert.Len(t, ranges, c.requests)
			assert.Equal(t, "bytes=4-", ranges[0])
			assert.Equal(t, `"v1"`, conds[0])
		})
	}
}

func TestDownload_believes_no_state_that_is_not_its_own(t *testing.T) {
	for _, state := range []string{
		`{"URL":"http://other.test/","Validator":"\"v1\""}`, "nonsense", `{"URL":"%s","Validator":"\"v1\"\r\nX: 1"}`,
		`{"URL":"%s","Validator":""}`, `{"URL":"%s","Validator":"W/\"v1\""}`,
	} {
		h := &cutting{text: "0123456789", etag: `"v1"`}
		s := testserver.Start(t, testserver.H1, h)
		if strings.Contains(state, "%s") {
			state = fmt.Sprintf(state, s.URL)
		}
		file := partial(t, s.URL, state)
		_, err := download(t, newTestClient(t), s.URL, file)
		require.NoError(t, err)
		assert.Equal(t, "0123456789", content(t, file))
		ranges, _ := h.seen()
		assert.Equal(t, []string{""}, ranges)
	}
}

func TestDownload_of_a_part_that_is_the_whole(t *testing.T) {
	h := &cutting{text: "0123", etag: `"v1"`}
	s := testserver.Start(t, testserver.H1, h)
	file := partial(t, s.URL, "")
	n, err := download(t, newTestClient(t), s.URL, file)
	require.NoError(t, err)
	assert.EqualValues(t, 4, n)
	assert.Equal(t, "0123", content(t, file))
	ranges, _ := h.seen()
	assert.Equal(t, []string{"bytes=4-"}, ranges, "416 with its length says so")
	assert.Equal(t, []string{"file"}, names(t, filepath.Dir(file)))
}

func TestDownload_keeps_no_part_that_it_could_not_go_on_with(t *testing.T) {
	for name, header := range map[string][2]string{
		"nothing": {"X", "1"}, "weak": {"Etag", `W/"a"`}, "too young": {"Last-Modified", time.Now().UTC().Format(http.TimeFormat)},
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(header[0], header[1])
				w.Header().Set("Date", w.Header().Get("Last-Modified"))
				w.Header().Set("Content-Length", "10")
				_, _ = io.WriteString(w, "01234")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			file := filepath.Join(t.TempDir(), "file")
			_, err := download(t, newTestClient(t), s.URL, file)
			require.ErrorIs(t, err, ratmom.ErrTruncated)
			assert.Empty(t, names(t, filepath.Dir(file)))
		})
	}
}

func TestDownload_refuses_what_is_none(t *testing.T) {
	m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{
		"/206": {Status: 206, Header: []string{"Content-Range: bytes 0-0/5"}, Body: "0"},
	}))
	c := newTestClient(t)
	dir := t.TempDir()
	_, err := download(t, c, m.URL+"/404", filepath.Join(dir, "file"))
	var status *ratmom.StatusError
	require.ErrorAs(t, err, &status)
	assert.Equal(t, 404, status.StatusCode)
	assert.EqualError(t, err, "the server answered 404 Not Found")
	_, err = download(t, c, m.URL+"/206", filepath.Join(dir, "file"))
	require.ErrorIs(t, err, ratmom.ErrProtocol)
	_, err = download(t, c, m.URL, dir)
	require.ErrorContains(t, err, "is no regular file")
	_, err = download(t, c, m.URL, filepath.Join(dir, "nowhere", "file"))
	require.Error(t, err)
	u, err := url.Parse(m.URL)
	require.NoError(t, err)
	for _, req := range []*http.Request{
		{Method: http.MethodPost, URL: u},
		{URL: u, Body: io.NopCloser(strings.NewReader("x"))},
		{URL: u, Header: http.Header{"Range": {"bytes=1-"}}},
	} {
		_, err := c.Download(req, filepath.Join(dir, "file"))
		require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	}
	assert.Empty(t, names(t, dir))
}

func TestDownload_saves_no_file_after_the_end_of_its_context_though_all_is_here(t *testing.T) {
	for name, reply := range map[string]testserver.Reply{
		"a body":                    {Body: "hello"},
		"a body that has a version": {Body: "hello", Header: []string{`ETag: "1"`}},
		"no body":                   {},
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.NewMock(t, testserver.ByPath(map[string]testserver.Reply{"/": reply}))
			dir := t.TempDir()
			for _, at := range []string{"head", "body"} {
				ctx, cancel := context.WithCancel(t.Context())
				stop := ratmom.Step{Response: func(_ *http.Request, resp *ratmom.Response, err error) (*ratmom.Response, *http.Request, error) {
					if at == "head" || reply.Body == "" {
						cancel()
					}
					return resp, nil, err
				}}
				c := newTestClient(t, config.DownloadProgress(func(int64, int64) { cancel() }), ratmom.Intercept(stop))
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL, nil)
				require.NoError(t, err)
				_, err = c.Download(req, filepath.Join(dir, "file"))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, ratmom.ErrCanceled)
				if at == "head" {
					assert.Empty(t, names(t, dir))
				}
				assert.NoFileExists(t, filepath.Join(dir, "file"))
				cancel()
			}
		})
	}
}

func TestDownload_from_nginx_in_two_goes(t *testing.T) {
	n := testserver.Nginx(t)
	path := n.File("big.bin", 2<<20)
	for mode, u := range map[string]string{"h1": n.URL, "h2": n.TLSURL} {
		t.Run(mode, func(t *testing.T) {
			c := newTestClient(t, config.CAFile(n.CAFile))
			name := filepath.Join(t.TempDir(), "file")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, u+path, nil)
			require.NoError(t, err)
			_, err = c.Download(req, name, config.DownloadProgress(func(n, total int64) {
				assert.EqualValues(t, 2<<20, total)
				if n > 300_000 {
					cancel()
				}
			}))
			require.ErrorIs(t, err, context.Canceled)
			info, err := os.Stat(name + ".part")
			require.NoError(t, err)
			require.Positive(t, info.Size())
			var got int64
			size, err := download(t, c, u+path, name, config.DownloadProgress(func(n, _ int64) { got = n }))
			require.NoError(t, err)
			assert.EqualValues(t, 2<<20, size)
			assert.Equal(t, 2<<20-info.Size(), got, "the rest alone")
			assert.Equal(t, strings.Repeat("\x00", 2<<20), content(t, name))
		})
	}
}
