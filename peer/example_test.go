package peer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer"
)

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "this is ", r.URL.Path)
	}))
	defer server.Close()

	client, err := ratmom.New(config.Proxy(""))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	m, err := peer.Open(client, peer.MaxLinks(2))
	if err != nil {
		panic(err)
	}
	defer m.Close()

	var requests []*peer.Request
	for _, path := range []string{"/a", "/b", "/c"} {
		req, _ := http.NewRequest(http.MethodGet, server.URL+path, nil)
		requests = append(requests, m.Go(req)) // returns at once
	}
	for _, r := range requests {
		res, err := r.Result()
		if err != nil {
			panic(err)
		}
		fmt.Println(res.Status, string(res.Content))
	}
	// Output:
	// 200 this is /a
	// 200 this is /b
	// 200 this is /c
}

func ExamplePeer_Pin() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr)
	}))
	defer server.Close()
	client, err := ratmom.New(config.Proxy(""))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	m, err := peer.Open(client)
	if err != nil {
		panic(err)
	}
	defer m.Close()

	p, err := m.Get(server.URL)
	if err != nil {
		panic(err)
	}
	pin, err := p.Pin()
	if err != nil {
		panic(err)
	}
	defer pin.Release()
	var seen [2]string
	for i := range seen {
		req, _ := http.NewRequest(http.MethodGet, server.URL, nil)
		res, err := pin.Do(req)
		if err != nil {
			panic(err)
		}
		seen[i] = string(res.Content)
	}
	fmt.Println("one connection:", seen[0] == seen[1])
	// Output: one connection: true
}

// A pool of the caller's own, of links that give themselves back.
func ExamplePeer_Link() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "hello")
	}))
	defer server.Close()
	client, err := ratmom.New(config.Proxy(""))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	m, err := peer.Open(client)
	if err != nil {
		panic(err)
	}
	defer m.Close()
	p, err := m.Get(server.URL)
	if err != nil {
		panic(err)
	}

	link, err := p.Link()
	if err != nil {
		panic(err)
	}
	defer link.Close()
	free := make(chan *peer.Link, 1)
	link.SetStateHook(func(l *peer.Link) {
		if l.Err() == nil && l.Available() > 0 {
			free <- l
		}
	})
	req, _ := http.NewRequest(http.MethodGet, server.URL, nil)
	resp, err := link.RoundTrip(req)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	again := <-free
	fmt.Println(again.Reserve(), again.Available(), again.InFlight())
	// Output: <nil> 0 1
}

// What was not answered when the connection ended is sent again over another one.
func ExamplePeer_Pipeline() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "this is ", r.URL.Path)
	}))
	defer server.Close()
	client, err := ratmom.New(config.Proxy(""))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	m, err := peer.Open(client)
	if err != nil {
		panic(err)
	}
	defer m.Close()
	p, err := m.Get(server.URL)
	if err != nil {
		panic(err)
	}

	pipeline, err := p.Pipeline(context.Background(), 8)
	if err != nil {
		panic(err)
	}
	defer pipeline.Close()
	req, _ := http.NewRequest(http.MethodGet, server.URL+"/a", nil)
	resp, err := pipeline.RoundTrip(req)
	var unanswered *peer.UnansweredError
	if errors.As(err, &unanswered) {
		if pipeline, err = p.Pipeline(context.Background(), 8); err == nil {
			resp, err = pipeline.RoundTrip(req)
		}
	}
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(text))
	// Output: 200 OK this is /a
}
