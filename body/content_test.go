package body

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/failure"
)

func attached(t *testing.T, c *Content) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://a.test/", nil)
	require.NoError(t, err)
	require.NoError(t, c.Attach(req))
	return req
}

func readBody(t *testing.T, b io.ReadCloser) string {
	t.Helper()
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	return string(got)
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestContents_have_type_and_length_and_can_be_opened_again(t *testing.T) {
	for _, c := range []struct {
		content    *Content
		kind, text string
		length     int64
	}{
		{JSON(map[string]any{"a": "é", "b": 1}), "application/json", `{"a":"é","b":1}`, 16},
		{JSON(nil), "application/json", "null", 4},
		{Form(url.Values{"b": {"1 &"}, "a": {"x", "y"}}), "application/x-www-form-urlencoded", "a=x&a=y&b=1+%26", 15},
		{Data("text/x", []byte("abc")), "text/x", "abc", 3},
		{Data("", nil), "", "", 0},
		{File(writeFile(t, "a.html", "<p>")), "text/html; charset=utf-8", "<p>", 3},
		{File(writeFile(t, "a.nosuchtype", "")), "application/octet-stream", "", 0},
		{FromFunc("x/y", 2, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("hi")), nil }), "x/y", "hi", 2},
		{FromFunc("x/y", -7, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("hi")), nil }), "x/y", "hi", -1},
	} {
		req := attached(t, c.content)
		assert.Equal(t, c.kind, req.Header.Get("Content-Type"))
		assert.Equal(t, c.length, req.ContentLength)
		assert.Equal(t, c.length, c.content.Length())
		assert.Equal(t, c.kind, c.content.Type())
		assert.True(t, c.content.Rewindable())
		assert.Equal(t, c.text, readBody(t, req.Body))
		again, err := req.GetBody()
		require.NoError(t, err)
		assert.Equal(t, c.text, readBody(t, again))
		src, err := FromRequest(attached(t, c.content))
		require.NoError(t, err)
		assert.Equal(t, c.length, src.Length(), "%s: an empty body has a length too", c.kind)
		assert.False(t, src.IsNone())
		require.NoError(t, src.Close())
	}
}

func TestAttach_leaves_a_type_that_is_there(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, "http://a.test/", nil)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/merge-patch+json")
	require.NoError(t, JSON(1).Attach(req))
	assert.Equal(t, "application/merge-patch+json", req.Header.Get("Content-Type"))
	req.Header = nil
	require.NoError(t, JSON(1).Attach(req))
	assert.Equal(t, "application/json", req.Header.Get("Content-Type"))
}

func TestAttach_tells_what_could_not_be_made(t *testing.T) {
	for _, c := range []struct {
		content *Content
		says    string
	}{
		{JSON(func() {}), "unsupported type"},
		{File("/nowhere/x"), "no such file"},
		{File(t.TempDir()), "is a directory"},
		{Multipart(FileField("f", "/nowhere/x")), "no such file"},
		{Multipart(Part{}), "has no content"},
		{Multipart(FieldFrom("f", JSON(func() {}))), "unsupported type"},
		{Multipart(Field("a\x00", "v")), "control character"},
		{Multipart(FileFrom("a", "b\x01", Data("", nil))), "control character"},
		{Multipart(FileFrom("a", "b", Data("x\r\nEvil: 1", nil))), "bad type"},
		{Multipart(Field("a", "v").WithHeader("X Y", "1")), "bad header field"},
		{Multipart(Field("a", "v").WithHeader("X", "1\r\nY: 2")), "bad header field"},
		{Multipart(Field("a", "v").WithHeader("content-type", "1")), "is made from"},
		{MultipartBoundary("", Field("a", "v")), "1 to 70"},
		{MultipartBoundary(strings.Repeat("x", 71)), "1 to 70"},
		{MultipartBoundary("a\r\nb"), "has the character"},
		{MultipartBoundary("a "), "has the character"},
	} {
		req, err := http.NewRequest(http.MethodPost, "http://a.test/", nil)
		require.NoError(t, err)
		err = c.content.Attach(req)
		require.ErrorIs(t, err, failure.RequestBody)
		assert.ErrorContains(t, err, c.says)
		assert.Nil(t, req.Body)
	}
}

func TestReader_content_is_for_one_request(t *testing.T) {
	c := FromReader("a/b", strings.NewReader("once"), 4)
	assert.False(t, c.Rewindable())
	req := attached(t, c)
	assert.Nil(t, req.GetBody)
	assert.Equal(t, "once", readBody(t, req.Body))
	other, err := http.NewRequest(http.MethodPost, "http://a.test/", nil)
	require.NoError(t, err)
	require.ErrorIs(t, c.Attach(other), failure.BodyNotRewindable)
	require.ErrorContains(t, Multipart(FieldFrom("f", c)).Attach(other), "given away")
}

func TestContent_of_another_length_than_announced_is_an_error(t *testing.T) {
	path := writeFile(t, "f", "12345")
	c := File(path)
	require.NoError(t, os.WriteFile(path, []byte("1234"), 0o600))
	_, err := io.ReadAll(attached(t, c).Body)
	require.ErrorContains(t, err, "4 bytes instead of the announced 5")
	require.NoError(t, os.WriteFile(path, []byte("123456"), 0o600))
	_, err = io.ReadAll(attached(t, c).Body)
	require.ErrorContains(t, err, "more than the announced 5")
	require.NoError(t, os.Remove(path))
	_, err = io.ReadAll(attached(t, c).Body)
	require.ErrorIs(t, err, os.ErrNotExist)

	// In a form too, where another part could make up for it.
	m := Multipart(FileFrom("a", "a", FromReader("", strings.NewReader("12"), 3)), FileFrom("b", "b", FromReader("", strings.NewReader("12"), 1)))
	_, err = io.ReadAll(attached(t, m).Body)
	require.ErrorContains(t, err, "2 bytes instead of the announced 3")
}

// closeCounter counts how often it is closed.
type closeCounter struct {
	io.Reader
	n *int
}

func (c closeCounter) Close() error { *c.n++; return nil }

func TestContent_opens_late_and_closes_what_it_opened(t *testing.T) {
	opened, closed := 0, 0
	c := FromFunc("", -1, func() (io.ReadCloser, error) {
		opened++
		return closeCounter{strings.NewReader("x"), &closed}, nil
	})
	b := attached(t, c).Body
	assert.Zero(t, opened)
	require.NoError(t, b.Close())
	_, err := b.Read(make([]byte, 1))
	require.Error(t, err)
	assert.Zero(t, opened, "closed before it was read")

	readBody(t, attached(t, Multipart(FieldFrom("a", c), FieldFrom("b", c))).Body)
	assert.Equal(t, 2, opened)
	assert.Equal(t, 2, closed)

	b = attached(t, Multipart(FieldFrom("a", c), FieldFrom("b", c))).Body
	_, err = io.ReadFull(b, make([]byte, 150))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	assert.Equal(t, opened, closed)
	_, err = b.Read(make([]byte, 1))
	require.Error(t, err)

	broken := errors.New("broken")
	_, err = io.ReadAll(attached(t, FromFunc("", -1, func() (io.ReadCloser, error) { return nil, broken })).Body)
	require.ErrorIs(t, err, broken)
}
