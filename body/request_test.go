package body

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

// tracked counts what is done to a body.
type tracked struct {
	io.Reader
	reads, closes atomic.Int32
}

func (t *tracked) Read(p []byte) (int, error) {
	t.reads.Add(1)
	return t.Reader.Read(p)
}

func (t *tracked) Close() error {
	t.closes.Add(1)
	return nil
}

func post(t *testing.T, b io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://h/", b)
	require.NoError(t, err)
	return req
}

func from(t *testing.T, req *http.Request) *Source {
	t.Helper()
	s, err := FromRequest(req)
	require.NoError(t, err)
	return s
}

func TestFromRequest_tells_absent_from_empty(t *testing.T) {
	for _, none := range []io.Reader{nil, http.NoBody, strings.NewReader(""), bytes.NewBuffer(nil)} {
		s := from(t, post(t, none))
		assert.True(t, s.IsNone(), "net/http makes all of these NoBody")
		assert.Zero(t, s.Length())
		assert.NoError(t, s.Rewind())
		assert.NoError(t, s.Close())
	}
	for _, empty := range []io.ReadCloser{Bytes(nil), Bytes([]byte{}), String(""), Reader(strings.NewReader(""), 0)} {
		s := from(t, post(t, empty))
		assert.False(t, s.IsNone())
		assert.Zero(t, s.Length())
		b, err := io.ReadAll(s)
		require.NoError(t, err)
		assert.Empty(t, b)
	}
}

func TestFromRequest_takes_bytes_in_memory_without_a_copy(t *testing.T) {
	text := "hello, body"
	raw := []byte(text)
	half := bytes.NewBuffer(bytes.Clone(raw))
	half.Next(7)
	read := strings.NewReader(text)
	_, _ = read.Seek(7, io.SeekStart)
	for name, c := range map[string]struct {
		body io.Reader
		want string
		at   *byte
	}{
		"body.Bytes":                   {Bytes(raw), text, &raw[0]},
		"body.String":                  {String(text), text, unsafe.StringData(text)},
		"bytes.Reader":                 {bytes.NewReader(raw), text, &raw[0]},
		"bytes.Buffer":                 {bytes.NewBuffer(raw), text, &raw[0]},
		"strings.Reader":               {strings.NewReader(text), text, unsafe.StringData(text)},
		"bytes.Buffer, partly read":    {half, "body", &half.Bytes()[0]},
		"strings.Reader, partly read":  {read, "body", nil},
		"body.Reader of memory":        {Reader(bytes.NewReader(raw), int64(len(raw))), text, &raw[0]},
		"NopCloser of a bytes.Reader":  {io.NopCloser(bytes.NewReader(raw)), text, &raw[0]},
		"NopCloser of another, of one": {io.NopCloser(io.NopCloser(bytes.NewReader(raw))), text, &raw[0]},
	} {
		t.Run(name, func(t *testing.T) {
			s := from(t, post(t, c.body))
			b, ok := s.Bytes()
			require.True(t, ok)
			assert.False(t, s.IsStream())
			assert.Equal(t, c.want, string(b))
			assert.EqualValues(t, len(c.want), s.Length())
			if c.at != nil {
				assert.Same(t, c.at, unsafe.SliceData(b))
			}
			for range 2 {
				got, err := io.ReadAll(s)
				require.NoError(t, err)
				assert.Equal(t, c.want, string(got))
				require.True(t, s.Rewindable())
				require.NoError(t, s.Close())
				_, err = s.Read(make([]byte, 1))
				require.Error(t, err)
				require.NoError(t, s.Rewind())
			}
		})
	}
}

func TestFromRequest_refuses_a_length_that_is_not_the_bodys(t *testing.T) {
	for _, c := range []struct {
		body   io.ReadCloser
		length int64
	}{
		{io.NopCloser(strings.NewReader("hello")), 4},
		{io.NopCloser(strings.NewReader("hello")), 6},
		{Bytes([]byte("hello")), 100},
	} {
		req := post(t, nil)
		req.Body, req.ContentLength = c.body, c.length
		_, err := FromRequest(req)
		require.ErrorIs(t, err, failure.RequestBody)
		assert.Contains(t, err.Error(), "with Body length 5")
	}
	req := post(t, nil)
	req.ContentLength = 1
	_, err := FromRequest(req)
	require.ErrorIs(t, err, failure.InvalidRequest)
	assert.Contains(t, err.Error(), "http: Request.ContentLength=1 with nil Body")
}

func TestFromRequest_leaves_streams_unread(t *testing.T) {
	for _, c := range []struct {
		name string
		body io.Reader
		set  func(*http.Request)
		want int64
	}{
		{"no length", strings.NewReader("x"), func(r *http.Request) {}, -1},
		{"a length", strings.NewReader("x"), func(r *http.Request) { r.ContentLength = 1 }, 1},
		{"an unknown length", strings.NewReader("x"), func(r *http.Request) { r.ContentLength = -1 }, -1},
		{"chunked", strings.NewReader("x"), func(r *http.Request) {
			r.ContentLength, r.TransferEncoding = 1, []string{"chunked"}
		}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &tracked{Reader: c.body}
			req := post(t, b)
			c.set(req)
			s := from(t, req)
			assert.True(t, s.IsStream())
			_, ok := s.Bytes()
			assert.False(t, ok)
			assert.Equal(t, c.want, s.Length())
			assert.Zero(t, b.reads.Load())
		})
	}
	t.Run("memory whose length is hidden", func(t *testing.T) {
		req := post(t, strings.NewReader("x"))
		req.ContentLength = -1
		s := from(t, req)
		assert.True(t, s.IsStream())
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		assert.Equal(t, "x", string(got))
	})
	t.Run("with a length of its own", func(t *testing.T) {
		b := &tracked{Reader: strings.NewReader("x")}
		s := from(t, post(t, Reader(b, 7)))
		assert.EqualValues(t, 7, s.Length())
		require.NoError(t, s.Close())
		assert.EqualValues(t, 1, b.closes.Load())
		assert.EqualValues(t, -1, from(t, post(t, Reader(b, -5))).Length())
	})
}

func TestSource_closes_the_body_exactly_once(t *testing.T) {
	b := &tracked{Reader: strings.NewReader("x")}
	s := from(t, post(t, b))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _ = s.Close() })
	}
	wg.Wait()
	assert.EqualValues(t, 1, b.closes.Load())
	assert.True(t, s.Finished())
	_, err := s.Read(make([]byte, 1))
	assert.Error(t, err)
}

func TestSource_can_be_closed_beside_a_read(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	s := from(t, post(t, r))
	done := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		done <- err
	}()
	require.NoError(t, s.Close())
	select {
	case err := <-done:
		assert.Error(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("Read still waits")
	}
}

func TestSource_rewinds_by_GetBody(t *testing.T) {
	var opened []*tracked
	open := func() (io.ReadCloser, error) {
		b := &tracked{Reader: strings.NewReader("hello")}
		opened = append(opened, b)
		return b, nil
	}
	first, _ := open()
	req := post(t, first)
	req.GetBody = open
	s := from(t, req)
	require.True(t, s.Rewindable())
	require.NoError(t, s.Rewind())
	require.Len(t, opened, 1, "nothing was read, so the first is still good")
	for i := range 3 {
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
		if i == 1 {
			require.NoError(t, s.Close())
		}
		require.NoError(t, s.Rewind())
	}
	require.NoError(t, s.Close())
	require.Len(t, opened, 4)
	for _, b := range opened {
		assert.EqualValues(t, 1, b.closes.Load())
	}

	req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("mine") }
	s = from(t, req)
	_, _ = s.Read(make([]byte, 1))
	assert.EqualError(t, s.Rewind(), "mine")
}

func TestSource_without_GetBody_rewinds_only_what_was_not_read(t *testing.T) {
	s := from(t, post(t, &tracked{Reader: strings.NewReader("hello")}))
	assert.False(t, s.Rewindable())
	require.NoError(t, s.Rewind())
	_, err := s.Read(make([]byte, 1))
	require.NoError(t, err)
	require.Error(t, s.Rewind())
}

func TestGetBody_knows_our_own_types(t *testing.T) {
	req := post(t, String("abc"))
	_, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	again, err := GetBody(req)()
	require.NoError(t, err)
	b, err := io.ReadAll(again)
	require.NoError(t, err)
	assert.Equal(t, "abc", string(b))
	assert.Nil(t, GetBody(post(t, Reader(strings.NewReader("x"), 1))))
	assert.Nil(t, GetBody(post(t, nil)))
}

func TestBytes_is_an_ordinary_reader_too(t *testing.T) {
	require.NoError(t, iotest.TestReader(Bytes([]byte("hello")), []byte("hello")))
	var w bytes.Buffer
	n, err := io.Copy(&w, String("hello"))
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	assert.Equal(t, "hello", w.String())
	b := Bytes([]byte("x"))
	require.NoError(t, b.Close())
	_, err = b.Read(make([]byte, 1))
	assert.Error(t, err)
}

func TestFromRequest_probes_where_a_body_is_seldom(t *testing.T) {
	get := func(b io.Reader) (*Source, *tracked) {
		tr := &tracked{Reader: b}
		req := post(t, tr)
		req.Method = http.MethodGet
		return from(t, req), tr
	}
	t.Run("an empty one is none", func(t *testing.T) {
		s, b := get(strings.NewReader(""))
		assert.True(t, s.IsNone())
		assert.Zero(t, s.Length())
		require.NoError(t, s.Close())
		assert.EqualValues(t, 1, b.closes.Load())
	})
	t.Run("another is complete", func(t *testing.T) {
		for _, r := range []io.Reader{
			strings.NewReader("hello"), iotest.DataErrReader(iotest.OneByteReader(strings.NewReader("hello"))),
		} {
			s, _ := get(r)
			assert.True(t, s.IsStream())
			got, err := io.ReadAll(s)
			require.NoError(t, err)
			assert.Equal(t, "hello", string(got))
		}
	})
	t.Run("its error comes when it is read", func(t *testing.T) {
		s, _ := get(iotest.ErrReader(errors.New("mine")))
		_, err := io.ReadAll(s)
		assert.EqualError(t, err, "mine")
	})
	t.Run("one that is slow is a body", func(t *testing.T) {
		r, w := io.Pipe()
		s, _ := get(r)
		assert.True(t, s.IsStream())
		go func() {
			_, _ = io.WriteString(w, "late")
			_ = w.Close()
		}()
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		assert.Equal(t, "late", string(got))
	})
}
