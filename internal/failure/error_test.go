package failure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestError_is_one_line_with_operation_url_words_and_cause(t *testing.T) {
	u, err := url.Parse("https://me:secret@example.com/a?b=c#d")
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		err  *Error
		text string
	}{
		{"kind only", New(Closed, ""), "the client is closed"},
		{"tried again", &Error{Kind: Timeout, Tries: 3}, "timeout (tried 3 times)"},
		{"with detail", New(Connect, "refused"), "connection failed: refused"},
		{"at a URL", FromCurl(28, "Connection timed out after 10 ms").At("GET", u),
			"GET https://xxxxx@example.com/a?b=c#d: timeout: Connection timed out after 10 ms"},
		{"no URL", New(Timeout, "").At("POST", nil), "POST: timeout"},
		{"with cause", Wrap(RequestBody, io.ErrClosedPipe), "request body failed: io: read/write on closed pipe"},
		{"cause said once", Newf(Local, "cannot open: %w", os.ErrNotExist), "local resource not usable: cannot open: file does not exist"},
		{"cause that is the detail", Newf(Local, "%w", os.ErrNotExist), "local resource not usable: file does not exist"},
		{"kind said once", Wrap(Canceled, Canceled), "canceled"},
		{"unknown code", FromCurl(79, ""), "libcurl error 79 (CURLE_SSH)"},
		{"code from the future", FromCurl(4711, "new"), "libcurl error 4711: new"},
		{"line breaks of a server", New(Protocol, "a\r\nb\x1b[31m\"c\" ü\xff"), `malformed response: a\r\nb\x1b[31m"c" ü\xff`},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.text, c.err.Error())
			assert.Equal(t, c.text, fmt.Sprintf("%v", c.err))
			assert.Equal(t, c.text, fmt.Sprintf("%s", c.err))
			assert.Equal(t, fmt.Sprintf("%q", c.text), fmt.Sprintf("%q", c.err))
		})
	}
}

func TestError_bounds_what_a_server_can_put_into_it(t *testing.T) {
	text := New(Protocol, strings.Repeat("x", 1<<20)).Error()
	assert.Less(t, len(text), 2*maxDetail)
}

func TestError_long_form_adds_code_addresses_and_log(t *testing.T) {
	e := FromCurl(56, "Recv failure")
	e.LocalAddr = netip.MustParseAddrPort("127.0.0.1:1000")
	e.RemoteAddr = netip.MustParseAddrPort("127.0.0.1:80")
	e.Tries, e.Earlier = 2, []string{"status 503, waited 1s"}
	e.Log = []byte("> GET / HTTP/1.1\n< garbage\n")
	assert.Equal(t, `receiving failed: Recv failure (tried 2 times)
  libcurl: 56 (CURLE_RECV_ERROR)
  local:   127.0.0.1:1000
  remote:  127.0.0.1:80
  try 1:   status 503, waited 1s
> GET / HTTP/1.1
< garbage`, fmt.Sprintf("%+v", e))
	assert.NotContains(t, fmt.Sprintf("%v", e), "garbage")
}

func TestError_is_found_by_kind_and_by_cause(t *testing.T) {
	wrapped := fmt.Errorf("outer: %w", Wrap(Canceled, context.Canceled))
	require.ErrorIs(t, wrapped, Canceled)
	require.ErrorIs(t, wrapped, context.Canceled)
	require.NotErrorIs(t, wrapped, Timeout)

	var e *Error
	require.ErrorAs(t, wrapped, &e)
	assert.Equal(t, Canceled, e.Kind)

	cause := errors.New("mine")
	assert.ErrorIs(t, Wrap(RequestBody, cause), cause)
	assert.Equal(t, cause, errors.Unwrap(Wrap(RequestBody, cause)))
}

func TestError_is_what_the_standard_library_calls_it(t *testing.T) {
	for kind, std := range map[Kind]error{
		Timeout: context.DeadlineExceeded, Canceled: context.Canceled,
		Truncated: io.ErrUnexpectedEOF, Unsupported: errors.ErrUnsupported, Closed: net.ErrClosed,
	} {
		assert.ErrorIs(t, New(kind, ""), std)
		assert.ErrorIs(t, kind, std)
		assert.NotErrorIs(t, New(Connect, ""), std)
	}
	assert.ErrorIs(t, New(Timeout, ""), os.ErrDeadlineExceeded)
}

func TestError_says_whether_it_is_a_timeout(t *testing.T) {
	timeout := func(err error) bool {
		var ne net.Error
		require.ErrorAs(t, err, &ne)
		assert.Equal(t, ne.Timeout(), ne.Temporary()) //nolint:staticcheck // net.Error has it
		return ne.Timeout()
	}
	assert.True(t, timeout(New(Timeout, "")))
	assert.True(t, timeout(Wrap(RequestBody, context.DeadlineExceeded)))
	assert.True(t, timeout(fmt.Errorf("outer: %w", FromCurl(28, ""))))
	assert.False(t, timeout(Wrap(Canceled, context.Canceled)))
	assert.False(t, timeout(New(Connect, "")))
}

func TestMask_hides_userinfo_and_keeps_the_rest(t *testing.T) {
	for raw, masked := range map[string]string{
		"http://h/p?q=a@b#f":              "http://h/p?q=a@b#f",
		"http://user@h/":                  "http://xxxxx@h/",
		"http://user:pa%3Ass@h:8080/x?y":  "http://xxxxx@h:8080/x?y",
		"http://us%2fer:p@[::1]:80/":      "http://xxxxx@[::1]:80/",
		"http://user:secret@[bad/":        "http://xxxxx@[bad/",
		"http://user:se/cret@h/\x7f":      "http://xxxxx@h/\x7f",
		"user:secret@h":                   "xxxxx@h",
		"%zz://user:secret@h/?mail=a@b.c": "%zz://xxxxx@b.c",
		"nothing at all":                  "nothing at all",
		"":                                "",
	} {
		assert.Equal(t, masked, MaskText(raw), raw)
		if u, err := url.Parse(raw); err == nil && u.Host != "" {
			assert.Equal(t, masked, Mask(u))
		}
	}
	assert.Empty(t, Mask(nil))
}
