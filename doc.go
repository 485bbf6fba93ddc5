// Package ratmom is an HTTP client for programs that talk to many servers at
// once. It is powered by libcurl: each [Client] owns one agent goroutine that
// drives a libcurl multi handle, and requests are handed to it as messages.
//
//	client, err := ratmom.New(config.Timeout(30 * time.Second))
//	defer client.Close()
//
//	resp, err := client.Send(req)     // blocks until the response head is there
//	defer resp.Body.Close()
//	io.Copy(dst, resp.Body)           // the body streams
//
//	f := client.SendAsync(req)        // a future; no goroutine per request
//	<-f.Done()
//	resp, err = f.Result()
//
// # Requests and options
//
// A request is a [net/http.Request]: its context cancels it, its GetBody rewinds
// it. Options are values of package config, given to [New] as defaults or to a
// single call as overrides.
//
// # Responses
//
// A future completes when the final response head is there; the body streams
// behind it and pauses the transfer while nobody reads. Close the body, or read it
// to its end, or the connection stays busy.
//
// # Errors
//
// Every error is an [Error]: a kind to act on, the operation, URL and addresses,
// and libcurl's words. errors.Is(err, ratmom.ErrTimeout) asks for a kind.
//
// # Two front doors
//
// A Client follows redirects, keeps cookies if it has a jar, and limits time. The
// [Transport] that it lends to a net/http.Client does none of this, as the
// contract of net/http.RoundTripper asks.
package ratmom
