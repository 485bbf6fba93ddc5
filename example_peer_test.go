package ratmom_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/peer"
)

func Example_peers() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	defer s.Close()
	client, err := ratmom.New(config.Proxy(""))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	req, err := http.NewRequest(http.MethodGet, s.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	m, err := peer.Open(client)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()

	r := m.Go(req)            // returns at once; there is no goroutine for it
	res, err := r.Result()    // the whole response, or an error if it is not 2xx
	fmt.Println(r.Revealed()) // may anything of it have left?
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(res.Content))
	// Output:
	// true
	// here
}
