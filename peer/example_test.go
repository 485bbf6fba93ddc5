package peer_test

import (
	"fmt"
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
