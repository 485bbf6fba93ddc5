package body

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTextReader_decodes_by_mark_then_charset_then_as_UTF_8(t *testing.T) {
	for _, c := range []struct{ name, contentType, raw, want string }{
		{"nothing said", "", "grüße €", "grüße €"},
		{"empty", "text/plain; charset=utf-16", "", ""},
		{"no charset", "text/html", "ü", "ü"},
		{"UTF-8", "text/plain; charset=utf-8", "ü", "ü"},
		{"Latin-1, which browsers take for Windows-1252", "text/plain; charset=ISO-8859-1", "gr\xfc\xdfe \x80", "grüße €"},
		{"quoted", `text/plain; charset="iso-8859-15"`, "\xa4", "€"},
		{"other parameters", "multipart/x; boundary=\"a;charset=utf-16\"; charset=koi8-r", "\xf0\xd2", "Пр"},
		{"upper case", "TEXT/PLAIN; CHARSET=SHIFT_JIS", "\x93\xfa\x96{", "日本"},
		{"GB 18030", "text/plain; charset=gb18030", "\xc4\xe3", "你"},
		{"EUC-KR", "text/plain; charset=euc-kr", "\xb0\xa1", "가"},
		{"UTF-16", "text/plain; charset=utf-16", "h\x00i\x00", "hi"},
		{"UTF-16, big end first", "text/plain; charset=utf-16be", "\x00h\x00i", "hi"},
		{"a surrogate pair", "text/plain; charset=utf-16le", "\x3d\xd8\x00\xde", "😀"},
		{"malformed header", "text/plain; charset=koi8-r; =", "\xf0", "П"},
		{"unknown charset", "text/plain; charset=klingon", "ü\xff", "ü\ufffd"},
		{"UTF-8 mark", "", "\xef\xbb\xbfü", "ü"},
		{"UTF-8 mark wins", "text/plain; charset=koi8-r", "\xef\xbb\xbfü", "ü"},
		{"UTF-16 mark wins", "text/plain; charset=utf-8", "\xff\xfeh\x00i\x00", "hi"},
		{"UTF-16 mark, big end first", "text/plain; charset=utf-16le", "\xfe\xff\x00h\x00i", "hi"},
		{"mark alone", "", "\xef\xbb\xbf", ""},
		{"half a mark", "", "\xef\xbb", "\ufffd"},
		{"half a mark in another charset", "text/plain; charset=iso-8859-1", "\xfe", "þ"},
		{"a mark further on stays", "", "a\ufeffb", "a\ufeffb"},
		{"bad bytes", "", "a\xffb\xc0c", "a\ufffdb\ufffdc"},
		{"cut short", "", "a\xe2\x82", "a\ufffd"},
		{"half a unit of UTF-16", "text/plain; charset=utf-16le", "a\x00b", "a\ufffd"},
		{"half a surrogate pair", "text/plain; charset=utf-16le", "\x3d\xd8a\x00", "\ufffda"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{
				strings.NewReader(c.raw), iotest.OneByteReader(strings.NewReader(c.raw)), iotest.DataErrReader(strings.NewReader(c.raw)),
			} {
				got, err := io.ReadAll(NewTextReader(r, c.contentType))
				require.NoError(t, err)
				require.Equal(t, c.want, string(got))
			}
		})
	}
}

func TestTextReader_gives_text_as_it_arrives(t *testing.T) {
	r, w := io.Pipe()
	defer r.Close()
	text := NewTextReader(r, "text/event-stream")
	for _, s := range []string{"d", "ata: ü\n\n", "x"} {
		go func() { _, _ = io.WriteString(w, s) }()
		got := make(chan string, 1)
		go func() {
			buf := make([]byte, len(s))
			_, _ = io.ReadFull(text, buf)
			got <- string(buf)
		}()
		select {
		case g := <-got:
			require.Equal(t, s, g)
		case <-time.After(10 * time.Second):
			t.Fatal("held back: ", s)
		}
	}
}

func TestTextReader_passes_errors_on(t *testing.T) {
	for _, raw := range []string{"", "\xef", "text \xe2"} {
		r := io.MultiReader(strings.NewReader(raw), iotest.ErrReader(io.ErrUnexpectedEOF))
		_, err := io.ReadAll(NewTextReader(r, ""))
		assert.Equal(t, io.ErrUnexpectedEOF, err)
	}
}

// FuzzTextReader holds the reader to: valid UTF-8, no failure, and the same
// result however the input is cut.
func FuzzTextReader(f *testing.F) {
	f.Add("text/plain; charset=shift_jis", []byte("\x93\xfa\x96{"))
	f.Add("text/plain; charset=utf-16", []byte("\xff\xfeh\x00i"))
	f.Add("text/plain; charset=iso-2022-jp", []byte("\x1b$B!!\x1b(B"))
	f.Add("charset==; charset='x'", []byte("\xef\xbb\xbfü"))
	f.Fuzz(func(t *testing.T, contentType string, raw []byte) {
		got, err := io.ReadAll(NewTextReader(bytes.NewReader(raw), contentType))
		require.NoError(t, err)
		require.True(t, utf8.Valid(got))
		again, err := io.ReadAll(NewTextReader(iotest.OneByteReader(bytes.NewReader(raw)), contentType))
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	})
}

func TestTextReader_takes_the_charset_of_a_meta_element(t *testing.T) {
	const latin, utf = "caf\xe9", "café"
	for _, c := range []struct{ name, contentType, page, want string }{
		{"charset", "text/html", `<!doctype html><meta charset="iso-8859-1">` + latin, utf},
		{"http-equiv", "Text/HTML", `<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=windows-1252">` + latin, utf},
		{"the header wins", "text/html; charset=utf-8", `<meta charset=iso-8859-1>` + utf, utf},
		{"not HTML", "text/plain", `<meta charset=iso-8859-1>` + utf, utf},
		{"none", "text/html", "<p>" + latin, "caf\ufffd"},
		{"a mark wins", "text/html", "\xef\xbb\xbf<meta charset=iso-8859-1>" + utf, utf},
		{"too far down", "text/html", strings.Repeat(" ", 1024) + "<meta charset=iso-8859-1>" + latin, "caf\ufffd"},
		{"no page", "text/html", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := io.ReadAll(NewTextReader(iotest.OneByteReader(strings.NewReader(c.page)), c.contentType))
			require.NoError(t, err)
			assert.True(t, strings.HasSuffix(string(got), c.want), "%q", got)
		})
	}
}
