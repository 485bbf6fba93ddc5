package body

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMultipart_is_written_as_browsers_do(t *testing.T) {
	c := MultipartBoundary("XX",
		Field("a", "1\r\n2\n"),
		FileFrom(`q"\`+"\n", `naïve "x"\`+"\r\n.txt", Data("", []byte("data"))),
		FieldFrom("j", JSON(true)).WithHeader("X-A", "b"),
	)
	want := "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\n\r\n" +
		"--XX\r\nContent-Disposition: form-data; name=\"q%22\\%0D%0A\"; filename=\"naïve %22x%22\\%0D%0A.txt\"\r\n" +
		"Content-Type: application/octet-stream\r\n\r\ndata\r\n" +
		"--XX\r\nContent-Disposition: form-data; name=\"j\"\r\nContent-Type: application/json\r\nX-A: b\r\n\r\ntrue\r\n--XX--\r\n"
	req := attached(t, c)
	assert.Equal(t, want, readBody(t, req.Body))
	assert.EqualValues(t, len(want), req.ContentLength)
	assert.Equal(t, "multipart/form-data; boundary=XX", req.Header.Get("Content-Type"))
	assert.Equal(t, `multipart/form-data; boundary="a b:c"`, MultipartBoundary("a b:c").Type())
	assert.Equal(t, "--XX--\r\n", readBody(t, attached(t, MultipartBoundary("XX")).Body))
}

// parse reads a form with the standard library.
func parse(t *testing.T, req *http.Request) *multipart.Form {
	t.Helper()
	_, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	require.NoError(t, err)
	form, err := multipart.NewReader(req.Body, params["boundary"]).ReadForm(1 << 20)
	require.NoError(t, err)
	t.Cleanup(func() { _ = form.RemoveAll() })
	return form
}

func content(t *testing.T, h *multipart.FileHeader) string {
	t.Helper()
	f, err := h.Open()
	require.NoError(t, err)
	return readBody(t, f)
}

func TestMultipart_streams_files_and_readers(t *testing.T) {
	big := strings.Repeat("0123456789", 20_000)
	path := writeFile(t, "big.txt", big)
	parts := []Part{
		Field("name", "value"),
		Field("name", "second"),
		FileField("file", path),
		FileFrom("data", "d.bin", Data("image/png", []byte{0, 1, 2})),
	}
	c := Multipart(parts...)
	require.True(t, c.Rewindable())
	for range 2 {
		req := attached(t, c)
		require.Positive(t, req.ContentLength)
		whole := readBody(t, req.Body)
		require.EqualValues(t, len(whole), req.ContentLength)
		req.Body, _ = req.GetBody()
		form := parse(t, req)
		assert.Equal(t, []string{"value", "second"}, form.Value["name"])
		assert.Equal(t, "big.txt", form.File["file"][0].Filename)
		assert.Equal(t, "text/plain; charset=utf-8", form.File["file"][0].Header.Get("Content-Type"))
		assert.Equal(t, big, content(t, form.File["file"][0]))
		assert.Equal(t, "\x00\x01\x02", content(t, form.File["data"][0]))
	}

	c = Multipart(append(parts, FileFrom("r", "r", FromReader("", strings.NewReader("abc"), -1)))...)
	assert.EqualValues(t, -1, c.Length(), "one part of unknown length makes it unknown")
	assert.False(t, c.Rewindable())
	assert.Equal(t, "abc", content(t, parse(t, attached(t, c)).File["r"][0]))

	c = Multipart(FileFrom("r", "r", FromReader("", strings.NewReader("abc"), 3)))
	require.Positive(t, c.Length())
	assert.EqualValues(t, c.Length(), len(readBody(t, attached(t, c).Body)))
}

func TestMultipart_boundaries_differ(t *testing.T) {
	assert.NotEqual(t, Multipart().Type(), Multipart().Type())
}

func FuzzMultipart_names(f *testing.F) {
	for _, s := range []string{"a", "", "a\"b", "a\r\nb: c", "\\", "é", "a%22", "\x00", "a;b", "C:\\x\\(1).txt", "\xff", "a\t"} {
		f.Add(s, s, "value")
	}
	f.Fuzz(func(t *testing.T, name, fileName, value string) {
		req, err := http.NewRequest(http.MethodPost, "http://a.test/", nil)
		require.NoError(t, err)
		err = MultipartBoundary("a-boundary-that-is-not-in-the-value", FileFrom(name, fileName, Data("", []byte(value)))).Attach(req)
		bad := func(s string) bool {
			return strings.ContainsFunc(s, func(r rune) bool { return (r < ' ' || r == 0x7f) && !strings.ContainsRune("\r\n\t", r) })
		}
		if bad(name) || bad(fileName) {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		if strings.Contains(value, "a-boundary-that-is-not-in-the-value") {
			return
		}
		_, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
		require.NoError(t, err)
		whole, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		require.EqualValues(t, len(whole), req.ContentLength)
		r := multipart.NewReader(bytes.NewReader(whole), params["boundary"])
		p, err := r.NextRawPart()
		require.NoError(t, err)
		got, err := io.ReadAll(p)
		require.NoError(t, err)
		require.Equal(t, value, string(got), "no name reaches into the content")
		require.Len(t, p.Header, 2, "no name makes a header field")
		_, err = r.NextRawPart()
		require.Equal(t, io.EOF, err)

		// Go's parser takes backslashes for escapes, which browsers do not write.
		plain := func(s string) bool {
			return !strings.ContainsAny(s, "\\\r\n\"\t") && !strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar })
		}
		if plain(name) && plain(fileName) {
			_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
			require.NoError(t, err)
			require.Equal(t, name, params["name"])
			require.Equal(t, fileName, params["filename"])
		}
	})
}
