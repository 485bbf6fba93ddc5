package server

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSetKeepAlivesEnabled_closes_what_is_idle_and_what_comes(t *testing.T) {
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })}
	addr := start(t, s)
	idle := dial(t, addr)
	idle.send(get1("/"))
	require.Equal(t, "x", idle.body("GET"))
	s.SetKeepAlivesEnabled(false)
	assert.Empty(t, idle.rest())

	c := dial(t, addr)
	c.send(get1("/"))
	head, _ := c.answer("GET")
	assert.True(t, head.Close)
	assert.Empty(t, c.rest())

	s.SetKeepAlivesEnabled(true)
	c = dial(t, addr)
	c.send(get1("/"))
	head, _ = c.answer("GET")
	assert.False(t, head.Close)
}

// A connection may have answered, and not be idle yet.
func TestSetKeepAlivesEnabled_closes_what_is_about_to_be_idle(t *testing.T) {
	for range 100 {
		s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })}
		c := dial(t, start(t, s))
		c.send(get1("/"))
		require.Equal(t, "x", c.body("GET"))
		s.SetKeepAlivesEnabled(false)
		require.Empty(t, c.rest())
	}
}

// What is mutated behind WriteHeader is too late, also in a map that the handler has kept.
func TestHeader_is_fixed_by_the_first_write(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("In-Time", "yes")
		h.Add("List", "one")
		_, _ = io.WriteString(w, "x")
		h.Set("Too-Late", "yes")
		h.Set("In-Time", "changed")
		h.Add("List", "two")
		h.Del("List")
	})})
	c := dial(t, addr)
	for range 2 { // the room for the copy is used again
		c.send(get1("/"))
		head, _ := c.answer("GET")
		assert.Equal(t, "yes", head.Header.Get("In-Time"))
		assert.Equal(t, []string{"one"}, head.Header["List"])
		assert.NotContains(t, head.Header, "Too-Late")
	}
	empty := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.Header().Set("Too-Late", "yes")
	})})
	assert.NotContains(t, talk(t, empty, "GET / HTTP/1.0\r\n\r\n"), "Too-Late")
}

func TestServer_takes_an_empty_Expect_for_none(t *testing.T) {
	addr := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })})
	assert.Contains(t, talk(t, addr, "GET / HTTP/1.1\r\n"+host+"Expect: \r\nConnection: close\r\n\r\n"), "HTTP/1.1 200 ")
}

func TestServer_gives_OPTIONS_to_the_handler_when_it_is_told_to(t *testing.T) {
	for _, disabled := range []bool{false, true} {
		addr := start(t, &Server{DisableGeneralOptionsHandler: disabled, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "the handler's")
		})})
		got := talk(t, addr, "OPTIONS * HTTP/1.1\r\n"+host+"Connection: close\r\n\r\n")
		assert.Equal(t, disabled, len(got) > 0 && got[len(got)-1] == 's', got)
	}
}
