package grid

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig_refuses_a_path_that_no_request_could_have_before_it_dials(t *testing.T) {
	for name, path := range map[string]string{
		"no slash":              "grid",
		"a URL":                 "http://node-b/grid",
		"an asterisk":           "*",
		"an authority":          "//node-b/grid",
		"a query":               "/grid?v=1",
		"an empty query":        "/grid?",
		"a fragment":            "/grid#1",
		"a space":               "/the grid",
		"a line of its own":     "/grid HTTP/1.1\r\nHost: x\r\n\r\n",
		"a tab":                 "/grid\t",
		"a zero byte":           "/grid\x00",
		"a delete":              "/grid\x7f",
		"a letter beyond ASCII": "/grïd",
		"no UTF-8":              "/gr\xffd",
		"a backslash":           `/grid\v1`,
		"a quote":               `/"grid"`,
		"braces":                "/grid/{id}",
		"half an escape":        "/grid%2",
		"an escape of nothing":  "/grid%zz",
		"an escaped line break": "/grid%0d%0a",
		"this directory":        "/./grid",
		"the one above":         "/grid/../v1",
		"the one above, last":   "/grid/..",
	} {
		t.Run(name, func(t *testing.T) {
			var dials atomic.Int32
			m, err := NewManager(Config{
				Self: "a", Peers: []Peer{{Name: "b"}}, Path: path,
				Dial: func(context.Context, string, string) (net.Conn, error) {
					dials.Add(1)
					return nil, errors.New("nobody is there")
				},
			})
			if m != nil {
				_ = m.Close()
			}
			require.ErrorContains(t, err, "grid: Config.Path ")
			require.Zero(t, dials.Load())
		})
	}
}

// What is taken for a path arrives as it was written.
func TestConfig_takes_a_path_that_a_request_can_have(t *testing.T) {
	for _, path := range []string{"", "/", DefaultPath, "/grid/", "/a.b/..c/~user/x@y:1,2;v=1/(z)!*'&$+=", "/the%20grid", "/%C3%BC"} {
		t.Run(path, func(t *testing.T) {
			arrived := make(chan string, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case arrived <- r.RequestURI:
				default:
				}
				w.WriteHeader(http.StatusTeapot)
			}))
			defer server.Close()
			m, err := NewManager(Config{Self: "a", Peers: []Peer{{Name: "b", Addr: server.Listener.Addr().String()}}, Path: path})
			require.NoError(t, err)
			defer func() { require.NoError(t, m.Close()) }()
			if path == "" {
				path = DefaultPath
			}
			require.Equal(t, path, <-arrived)
		})
	}
}
