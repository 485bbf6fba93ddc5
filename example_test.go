package ratmom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/demo"
)

// startSite starts the server that the examples talk to.
func startSite() (site string, stop func()) {
	s, err := demo.Start(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	return s.URL, s.Close
}

func Example() {
	site, stop := startSite()
	defer stop()

	client, err := ratmom.New(
		config.Timeout(30*time.Second),
		config.MaxConnectionsPerHost(64))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site+"/page/1", config.Timeout(5*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	text, err := resp.Text()
	fmt.Println(resp.Status, text, err)
	// Output:
	// 200 OK This is page 1.
	//  <nil>
}

func ExampleGet() {
	site, stop := startSite()
	defer stop()

	resp, err := ratmom.Get(site + "/json")
	if err != nil {
		log.Fatal(err)
	}
	var v struct{ Name string }
	err = resp.JSON(&v)
	fmt.Println(v.Name, err)
	// Output: ratmom <nil>
}

func ExamplePost() {
	site, stop := startSite()
	defer stop()

	resp, err := ratmom.Post(site+"/upload", "text/plain", strings.NewReader("hello"))
	if err != nil {
		log.Fatal(err)
	}
	text, err := resp.Text()
	fmt.Print(text[:16], err)
	// Output: 5 bytes, sha256 <nil>
}

func ExampleNew() {
	_, err := ratmom.New(config.Timeout(-time.Second))
	fmt.Println(errors.Is(err, ratmom.ErrInvalidOption))
	fmt.Println(err)
	// Output:
	// true
	// invalid option: config.Timeout(-1s): is negative
}

func ExampleClient_Send() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	req, err := http.NewRequestWithContext(ctx, "GET", site+"/bytes/1000000", nil)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Send(req) // returns when the head is here
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body) // the body streams
	fmt.Println(resp.StatusCode, n, err)
	// Output: 200 1000000 <nil>
}

func ExampleClient_Post() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	// A reader of unknown length is sent as it comes.
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, "made up on the way")
		_ = w.CloseWithError(err)
	}()
	resp, err := client.Post(site+"/upload", "text/plain", r)
	if err != nil {
		log.Fatal(err)
	}
	text, err := resp.Text()
	fmt.Println(strings.HasPrefix(text, "18 bytes, "), err)
	// Output: true <nil>
}

func ExampleClient_Transport() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	hc := &http.Client{Transport: client.Transport()}
	resp, err := hc.Get(site + "/redirect/2") // http.Client follows
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, resp.Request.URL.Path)
	// Output: 200 /
}

func ExampleIntercept() {
	site, stop := startSite()
	defer stop()

	logged := ratmom.InterceptFunc(func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) {
		resp, err := next(req)
		if err == nil {
			fmt.Println(req.Method, req.URL.Path, resp.StatusCode)
		}
		return resp, err
	})
	client, err := ratmom.New(ratmom.Intercept(logged))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site + "/redirect/1")
	if err != nil {
		log.Fatal(err)
	}
	err = resp.Discard()
	fmt.Println(err)
	// Output:
	// GET /redirect/1 302
	// GET / 200
	// <nil>
}

// A Step does not block: with it SendAsync needs no goroutine that waits.
func ExampleStep() {
	site, stop := startSite()
	defer stop()

	token := ratmom.Step{Request: func(req *http.Request) (*http.Request, error) {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer abc")
		return req, nil
	}}
	client, err := ratmom.New(ratmom.Intercept(token))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site + "/echo")
	if err != nil {
		log.Fatal(err)
	}
	var v struct{ Header http.Header }
	err = resp.JSON(&v)
	fmt.Println(v.Header.Get("Authorization"), err)
	// Output: Bearer abc <nil>
}

func ExampleError() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	_, err = client.Get(site+"/silence", config.Timeout(50*time.Millisecond))
	var e *ratmom.Error
	switch {
	case errors.Is(err, ratmom.ErrTimeout): // context.DeadlineExceeded, too
		errors.As(err, &e)
		fmt.Println("too slow:", e.Op, e.Kind)
	case err != nil:
		fmt.Printf("%+v\n", err) // with addresses and libcurl's words
	}
	// Output: too slow: GET timeout
}

func ExampleClient_Stats() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site + "/bytes/1000000000")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Stats().Requests, "under way")
	_ = resp.Body.Close() // gives the rest up
	// Output: 1 under way
}

func ExampleClient_Close() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}

	future := client.SendAsync(&http.Request{URL: mustParse(site + "/silence")})
	_ = client.Close()
	_, err = future.Result()
	fmt.Println(errors.Is(err, ratmom.ErrClosed))
	// Output: true
}
