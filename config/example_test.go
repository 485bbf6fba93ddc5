package config_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// The options of a client are the defaults of its requests; those of a request
// win.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, r.UserAgent(), r.Header.Get("X-Team"))
	}))
	defer server.Close()

	client, err := ratmom.New(
		config.Timeout(30*time.Second),
		config.UserAgent("example/1.0"),
		config.DefaultHeader("X-Team", "blue"),
		config.MaxConnectionsPerHost(8))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	for _, opts := range [][]config.RequestOption{
		nil,
		{config.UserAgent("example/2.0"), config.Timeout(time.Second)},
	} {
		resp, err := client.Get(server.URL, opts...)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := resp.Text()
		fmt.Print(text)
	}
	// Output:
	// example/1.0 blue
	// example/2.0 blue
}

// A bad value is an error that names the option, before anything is sent.
func ExampleError() {
	_, err := ratmom.New(config.Timeout(-time.Second))
	fmt.Println(err)

	var e *config.Error
	if errors.As(err, &e) {
		fmt.Println(e.Option, e.Value)
	}
	// Output:
	// invalid option: config.Timeout(-1s): is negative
	// Timeout -1s
}

// Options print without their secrets.
func ExampleProxy() {
	fmt.Println(config.Proxy("http://alice:secret@proxy.example:3128"))
	// Output: proxy{http://xxxxx@proxy.example:3128}
}
