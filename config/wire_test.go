package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWireEvent_masks_secrets(t *testing.T) {
	for in, want := range map[string]string{
		"GET / HTTP/1.1\r\nAuthorization: Basic " + secretText + "\r\nHost: a\r\n\r\n": "GET / HTTP/1.1\r\nAuthorization: xxxxx\r\nHost: a\r\n\r\n",
		"Proxy-Authorization: " + secretText + "\r\n":                                  "Proxy-Authorization: xxxxx\r\n",
		"cookie: a=" + secretText + "; b]=" + secretText + "\r\nA: b\r\n":              "cookie: xxxxx\r\nA: b\r\n",
		"Set-Cookie: a=" + secretText + "\r\n":                                         "Set-Cookie: xxxxx\r\n",
		"x-api-key: " + secretText + "\r\n":                                            "x-api-key: xxxxx\r\n",
		"X-Auth-Token: " + secretText + "\r\n":                                         "X-Auth-Token: xxxxx\r\n",
		"h2h3 [authorization: Basic " + secretText + "]\n":                             "h2h3 [authorization: xxxxx\n",
		"GET http://u:" + secretText + "@host/ HTTP/1.1\r\n":                           "GET http://xxxxx@host/ HTTP/1.1\r\n",
		"Server auth using Basic with user '" + secretText + "'\n":                     "Server auth using Basic with user 'xxxxx'\n",
		"Content-Type: text/plain\r\n":                                                 "Content-Type: text/plain\r\n",
		"":                                                                             "",
	} {
		for _, k := range []WireKind{WireInfo, WireHeaderReceived, WireHeaderSent} {
			e := NewWireEvent(k, []byte(in))
			assert.Equal(t, want, string(e.Data))
			assert.NotContains(t, e.String(), secretText)
		}
	}
}

func TestWireMasker_hides_secrets_that_are_cut_anywhere(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nCookie: a=" + secretText + secretText + "\r\nHost: a\r\n\r\n"
	for i := range len(head) {
		for j := i; j < len(head); j += 7 {
			var m WireMasker
			var out strings.Builder
			for _, part := range []string{head[:i], head[i:j], head[j:]} {
				out.Write(m.Event(WireHeaderSent, []byte(part)).Data)
				m.Event(WireInfo, []byte("in between\n"))
				m.Event(WireHeaderReceived, []byte("HTTP/1.1 100 Continue\r\n"))
			}
			for n := 3; n <= len(secretText); n++ {
				assert.NotContains(t, out.String(), secretText[len(secretText)-n:], "%d %d", i, j)
			}
			assert.Contains(t, out.String(), "Host: a\r\n\r\n")
		}
	}
}

func TestWireEvent_copies_and_prints_as_curl_does(t *testing.T) {
	data := []byte("body")
	e := NewWireEvent(WireBodyReceived, data)
	data[0] = 'x'
	assert.Equal(t, "body", string(e.Data))
	assert.Equal(t, "{ [4 bytes of body]\n", e.String())
	assert.Equal(t, "> GET / HTTP/1.1\n> \n", NewWireEvent(WireHeaderSent, []byte("GET / HTTP/1.1\r\n\r\n")).String())
	assert.Equal(t, "* hello\n", NewWireEvent(WireInfo, []byte("hello\n")).String())
	assert.Equal(t, "} [1 bytes of TLS]\n", NewWireEvent(WireTLSSent, []byte("x")).String())
	assert.Empty(t, NewWireEvent(99, []byte("x")).String())
}
