package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a handler says of the connection may be spread over several fields, and names fields that are
// for the next hop alone.
func TestServer_obeys_every_value_of_Connection(t *testing.T) {
	for _, c := range []struct {
		name          string
		version, asks string
		given, sent   []string
		closes        bool
	}{
		{"nothing", "1.1", "", nil, nil, false},
		{"close", "1.1", "", []string{"close"}, []string{"close"}, true},
		{"close behind", "1.1", "", []string{"X-One", "close"}, []string{"X-One, close"}, true},
		{"close in a list behind", "1.1", "", []string{"X-One", "X-Two, Close"}, []string{"X-One, X-Two, close"}, true},
		{"keep-alive and close", "1.1", "", []string{"keep-alive", "close"}, []string{"close"}, true},
		{"names alone", "1.1", "", []string{"X-One", "X-Two"}, []string{"X-One", "X-Two"}, false},
		{"names, and the client closes", "1.1", "close", []string{"X-One", ""}, []string{"X-One, close"}, true},
		{"line ends", "1.1", "close", []string{"X-One\r\nX-Two: y"}, []string{"X-One  X-Two: y, close"}, true},
		{"HTTP/1.0", "1.0", "", nil, nil, true},
		{"HTTP/1.0, close behind", "1.0", "keep-alive", []string{"X-One", "close"}, []string{"X-One, close"}, true},
		{"HTTP/1.0, names", "1.0", "", []string{"X-One"}, []string{"X-One"}, true},
		{"HTTP/1.0, kept", "1.0", "keep-alive", nil, []string{"keep-alive"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Connection"] = c.given
			})})
			nc := dial(t, addr)
			nc.send("GET / HTTP/" + c.version + "\r\nHost: a\r\nConnection: " + c.asks + "\r\n\r\n")
			var sent []string
			for {
				line, err := nc.r.ReadString('\n')
				if !assert.NoError(t, err) || line == "\r\n" {
					break
				}
				if value, ok := strings.CutPrefix(line, "Connection: "); ok {
					sent = append(sent, strings.TrimRight(value, "\r\n"))
				}
			}
			assert.Equal(t, c.sent, sent)
			if c.closes {
				assert.Empty(t, nc.rest())
				return
			}
			nc.send(bye("/"))
			assert.Contains(t, nc.rest(), " 200 OK")
		})
	}
}
