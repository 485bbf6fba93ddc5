package parity

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestHeaders_accept_is_sent_by_default(t *testing.T) {
	m := testserver.MockReply(t)
	get(t, newClient(t), m.URL)
	assert.Equal(t, []string{"*/*"}, m.Request().Values("Accept"))
	assert.Equal(t, []string{"gzip, deflate, br, zstd"}, m.Request().Values("Accept-Encoding"))
}

func TestHeaders_user_agent_names_client_and_libcurl(t *testing.T) {
	m := testserver.MockReply(t)
	get(t, newClient(t), m.URL)
	assert.Regexp(t, `^ratmom/\S+ libcurl/\S+$`, m.Request().Get("User-Agent"))
}

func TestHeaders_without_a_value_are_sent_without_a_value(t *testing.T) {
	sentWithoutValue(t, "")
}

func TestHeaders_of_blanks_are_sent_without_a_value(t *testing.T) {
	sentWithoutValue(t, "    ")
}

func sentWithoutValue(t *testing.T, value string) {
	m := testserver.MockReply(t)
	req := newRequest(t, "GET", m.URL, nil)
	req.Header.Set("An-Empty-Header", value)
	send(t, newClient(t), req)
	require.True(t, m.Request().Has("an-empty-header"))
	assert.Empty(t, m.Request().Get("an-empty-header"))
}

func TestHeaders_user_agent_of_the_client_wins_over_the_default(t *testing.T) {
	for name, opt := range map[string]config.ClientOption{
		"as a default header": config.DefaultHeader("User-Agent", "foo"),
		"as an option":        config.UserAgent("foo"),
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t)
			get(t, newClient(t, opt), m.URL)
			assert.Equal(t, []string{"foo"}, m.Request().Values("User-Agent"))
		})
	}
}

func TestHeaders_are_put_in_title_case_if_asked(t *testing.T) {
	m := testserver.MockReply(t)
	req := newRequest(t, "GET", m.URL, nil)
	req.Header["foo-BAR"] = []string{"baz"}
	c := newClient(t)
	send(t, c, req, config.TitleCaseHeaders(true))
	send(t, c, req, config.TitleCaseHeaders(false))
	require.Len(t, m.Requests(), 2)
	assert.Contains(t, m.Requests()[0].Header, "Foo-Bar: baz")
	assert.Contains(t, m.Requests()[1].Header, "foo-BAR: baz")
}

func TestHeaders_of_the_client_are_sent_with_every_request(t *testing.T) {
	m := testserver.MockReply(t)
	c := newClient(t, config.DefaultHeader("X-header", "some-value1"))
	get(t, c, m.URL)
	get(t, c, m.URL)
	for _, r := range m.Requests() {
		assert.Equal(t, []string{"some-value1"}, r.Values("X-Header"))
	}
}

func TestHeaders_of_the_request_win_over_the_clients(t *testing.T) {
	m := testserver.MockReply(t)
	req := newRequest(t, "GET", m.URL, nil)
	req.Header.Set("X-Header", "some-value2")
	send(t, newClient(t, config.DefaultHeader("X-header", "some-value1")), req)
	assert.Equal(t, []string{"some-value2"}, m.Request().Values("X-Header"))
}

func TestHeaders_of_the_client_with_one_name_are_all_sent(t *testing.T) {
	m := testserver.MockReply(t)
	get(t, newClient(t, config.DefaultHeader("X-header", "some-value1"), config.DefaultHeader("x-header", "some-value2")), m.URL)
	assert.Equal(t, []string{"some-value1", "some-value2"}, m.Request().Values("X-Header"))
}

func TestHeaders_of_the_request_win_over_several_of_the_clients(t *testing.T) {
	m := testserver.MockReply(t)
	req := newRequest(t, "GET", m.URL, nil)
	req.Header.Set("X-Header", "some-value3")
	send(t, newClient(t, config.DefaultHeader("X-header", "some-value1"), config.DefaultHeader("X-header", "some-value2")), req)
	assert.Equal(t, []string{"some-value3"}, m.Request().Values("X-Header"))
}

func trailing() testserver.Reply {
	return testserver.Reply{Header: []string{"Trailer: foo"}, Body: "hello", Trailers: []string{"foo: bar"}}
}

func TestHeaders_trailers_are_there_when_the_body_is_read(t *testing.T) {
	m := testserver.MockReply(t, trailing())
	resp := open(t, newClient(t), newRequest(t, "GET", m.URL, nil))
	_, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "bar", resp.Trailers().Get("foo"))
	assert.Equal(t, resp.Trailer, resp.Trailers())
}

func TestHeaders_trailers_of_a_future_are_there_when_the_body_is_read(t *testing.T) {
	m := testserver.MockReply(t, trailing())
	f := newClient(t).SendAsync(newRequest(t, "GET", m.URL, nil))
	resp, err := f.Wait(t.Context())
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Equal(t, http.Header{"Foo": {"bar"}}, resp.Trailers())
}

func TestHeaders_trailers_are_not_there_while_the_body_is_unread(t *testing.T) {
	hold := make(chan struct{})
	reply := trailing()
	reply.HoldBody = hold
	m := testserver.MockReply(t, reply)
	resp := open(t, newClient(t), newRequest(t, "GET", m.URL, nil))
	assert.Equal(t, http.Header{"Foo": nil}, resp.Trailers(), "the announced names alone")
	close(hold)
	require.NoError(t, resp.Discard())
	assert.Equal(t, "bar", resp.Trailers().Get("foo"))
}
