package parity

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/internal/testserver"
)

// everyMethod runs test for methods with and without a usual body.
func everyMethod(t *testing.T, test func(t *testing.T, method string)) {
	t.Helper()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "FOOBAR"} {
		t.Run(method, func(t *testing.T) { test(t, method) })
	}
}

func TestRequestBody_of_length_zero_is_sent_as_such(t *testing.T) {
	everyMethod(t, func(t *testing.T, method string) {
		m := testserver.MockReply(t)
		req := newRequest(t, method, m.URL, body.Bytes(nil))
		req.Header.Set("Content-Type", "application/json")
		send(t, newClient(t), req)
		r := m.Request()
		assert.Equal(t, method, r.Method)
		assert.Equal(t, []string{"0"}, r.Values("Content-Length"))
		assert.Equal(t, "application/json", r.Get("Content-Type"))
		assert.Empty(t, r.Body)
		assert.False(t, r.Chunked)
	})
}

func TestRequestBody_that_is_absent_is_not_sent(t *testing.T) {
	for name, none := range map[string]io.Reader{"nil": nil, "http.NoBody": http.NoBody} {
		t.Run(name, func(t *testing.T) {
			everyMethod(t, func(t *testing.T, method string) {
				m := testserver.MockReply(t)
				send(t, newClient(t), newRequest(t, method, m.URL, none))
				r := m.Request()
				assert.Equal(t, method, r.Method)
				switch method {
				case "POST", "PUT", "PATCH": // RFC 9110, section 8.6: methods that anticipate content
					assert.Equal(t, []string{"0"}, r.Values("Content-Length"))
				default:
					assert.False(t, r.Has("Content-Length"))
				}
				assert.False(t, r.Has("Transfer-Encoding"))
				assert.False(t, r.Has("Content-Type"))
				assert.Empty(t, r.Body)
			})
		})
	}
}

func TestRequestBody_of_a_known_length_is_sent_with_it(t *testing.T) {
	everyMethod(t, func(t *testing.T, method string) {
		m := testserver.MockReply(t)
		text := "MyVariableOne=ValueOne&MyVariableTwo=ValueTwo"
		c := newClient(t)
		for _, b := range []io.Reader{strings.NewReader(text), body.String(text), body.Reader(unknownLength{strings.NewReader(text)}, int64(len(text)))} {
			req := newRequest(t, method, m.URL, b)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			send(t, c, req)
		}
		require.Len(t, m.Requests(), 3)
		for _, r := range m.Requests() {
			assert.Equal(t, method, r.Method)
			assert.Equal(t, []string{"45"}, r.Values("Content-Length"))
			assert.Equal(t, "application/x-www-form-urlencoded", r.Get("Content-Type"))
			assert.Equal(t, text, string(r.Body))
			assert.False(t, r.Chunked)
		}
	})
}

func TestRequestBody_of_an_unknown_length_is_sent_in_chunks(t *testing.T) {
	everyMethod(t, func(t *testing.T, method string) {
		m := testserver.MockReply(t)
		c := newClient(t)
		for _, coding := range []string{"", "identity"} {
			req := newRequest(t, method, m.URL, unknownLength{strings.NewReader("foo")})
			if coding != "" {
				req.Header.Set("Transfer-Encoding", coding)
			}
			send(t, c, req)
		}
		require.Len(t, m.Requests(), 2)
		for _, r := range m.Requests() {
			assert.Equal(t, []string{"chunked"}, r.Values("Transfer-Encoding"))
			assert.False(t, r.Has("Content-Length"))
			assert.Equal(t, "foo", string(r.Body))
		}
	})
}

func TestRequestBody_is_cut_to_the_content_length_header(t *testing.T) {
	everyMethod(t, func(t *testing.T, method string) {
		m := testserver.MockReply(t)
		req := newRequest(t, method, m.URL, strings.NewReader("abc123"))
		req.Header.Set("Content-Length", "3")
		send(t, newClient(t), req)
		assert.Equal(t, []string{"3"}, m.Request().Values("Content-Length"))
		assert.Equal(t, "abc", string(m.Request().Body))
	})
}

var errReader = errors.New("the reader's own words")

type badReader struct{ first string }

func (b *badReader) Read(p []byte) (int, error) {
	if b.first != "" {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return 0, errReader
}

func badBodies() map[string]io.Reader {
	return map[string]io.Reader{
		"at once":         &badReader{},
		"in the middle":   &badReader{"some bytes"},
		"of known length": body.Reader(&badReader{"some"}, 100),
	}
}

func TestRequestBody_that_fails_is_the_cause_of_the_error(t *testing.T) {
	for name, b := range badBodies() {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t)
			err := failed(t, newClient(t), newRequest(t, "POST", m.URL, b))
			assert.ErrorIs(t, err, ratmom.ErrRequestBody)
			assert.ErrorIs(t, err, errReader)
		})
	}
}

func TestRequestBody_of_a_future_that_fails_is_the_cause_of_the_error(t *testing.T) {
	for name, b := range badBodies() {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t)
			resp, err := newClient(t).SendAsync(newRequest(t, "POST", m.URL, b)).Wait(t.Context())
			if err == nil {
				_ = resp.Body.Close()
			}
			require.ErrorIs(t, err, ratmom.ErrRequestBody)
			require.ErrorIs(t, err, errReader)
		})
	}
}
