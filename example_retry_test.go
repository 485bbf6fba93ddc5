package ratmom_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/retry"
)

// startBusy serves one request of three; the others are told to come back.
func startBusy() (url string, stop func()) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n%3 != 0 {
			w.Header().Set("Retry-After", "0")
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "Here you are.")
	}))
	return s.URL, s.Close
}

func ExampleResponse_Attempts() {
	site, stop := startBusy()
	defer stop()
	client, err := ratmom.New(config.Retry(retry.Policy{Tries: 4}))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range resp.Attempts() {
		fmt.Println(a.Class, a.Status)
	}
	text, err := resp.Text()
	fmt.Print(text, err)
	// Output:
	// status 503
	// status 503
	// Here you are.
	// <nil>
}

func ExampleClient_retry() {
	url, stop := startBusy()
	defer stop()

	budget, err := retry.NewBudget(0.2, 10, 10*time.Second) // the default: a fifth, or 10 in 10 s
	if err != nil {
		log.Fatal(err)
	}
	client, err := ratmom.New(
		config.Retry(retry.Policy{}), // with its defaults
		config.RetryBudget(budget))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(url, config.Retry(retry.Policy{Tries: 5})) // for one request
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status, len(resp.Attempts()))
	_ = resp.Body.Close()

	resp, err = client.Get(url, config.NoRetry())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status, len(resp.Attempts()))
	_ = resp.Body.Close()
	// Output:
	// 200 OK 2
	// 503 Service Unavailable 0
}
