package ratmom_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/ratmom/ratmom"
)

func mustParse(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		log.Fatal(err)
	}
	return u
}

func ExampleClient_SendAsync() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	req, err := http.NewRequestWithContext(ctx, "GET", site+"/page/2", nil)
	if err != nil {
		log.Fatal(err)
	}
	future := client.SendAsync(req) // returns at once
	select {
	case <-future.Done(): // the head is here, or the request has failed
	case <-time.After(10 * time.Second):
		future.Cancel()
	}
	resp, err := future.Result()
	if err != nil {
		log.Fatal(err)
	}
	text, err := resp.Text()
	fmt.Print(text, err)
	// Output:
	// This is page 2.
	// <nil>
}

func ExampleWaitAny() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	var futures []*ratmom.Future
	for n := range 100 {
		req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprint(site, "/page/", n), nil)
		if err != nil {
			log.Fatal(err)
		}
		futures = append(futures, client.SendAsync(req))
	}
	var bytes int64
	for len(futures) > 0 {
		i, err := ratmom.WaitAny(ctx, futures...) // in the order in which they come
		if err != nil {
			log.Fatal(err)
		}
		resp, err := futures[i].Result()
		if err != nil {
			log.Fatal(err)
		}
		b, err := resp.Bytes()
		if err != nil {
			log.Fatal(err)
		}
		bytes += int64(len(b))
		futures = append(futures[:i], futures[i+1:]...)
	}
	fmt.Println(bytes, "bytes")
	// Output: 1690 bytes
}

func ExampleWaitAll() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()

	a := client.SendAsync(&http.Request{URL: mustParse(site + "/status/200")})
	b := client.SendAsync(&http.Request{URL: mustParse(site + "/status/404")})
	if err := ratmom.WaitAll(ctx, a, b); err != nil {
		log.Fatal(err)
	}
	for _, f := range []*ratmom.Future{a, b} {
		resp, err := f.Result()
		if err != nil {
			log.Fatal(err)
		}
		err = resp.Discard()
		fmt.Println(resp.StatusCode, err)
	}
	// Output:
	// 200 <nil>
	// 404 <nil>
}

func ExampleFuture_Wait() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	future := client.SendAsync(&http.Request{URL: mustParse(site + "/silence")})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = future.Wait(ctx) // ends the waiting, not the request
	fmt.Println(err)

	future.Cancel()
	_, err = future.Result()
	fmt.Println(errors.Is(err, ratmom.ErrCanceled))
	// Output:
	// context deadline exceeded
	// true
}
