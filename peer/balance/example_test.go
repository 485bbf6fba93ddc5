package balance_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/peer/balance"
)

// What a scheduler does with each request: choose, count, and tell what came of it.
func Example() {
	now := time.Now()
	all := []*balance.Endpoint{
		{ID: 1, Address: "192.0.2.1:443"},
		{ID: 2, Address: "192.0.2.2:443"},
		{ID: 3, Address: "192.0.2.3:443", Down: true},
	}
	all[0].Latency.Observe(80*time.Millisecond, now)
	all[1].Latency.Observe(20*time.Millisecond, now)

	var usable balance.Usable
	var policy balance.PeakEWMA
	eps, _ := usable.Append(nil, all)
	var flight balance.Flight
	flight.Begin(eps[policy.Pick(eps, "", now)], now)
	fmt.Println(flight.Endpoint().Address)

	flight.Head(now.Add(25 * time.Millisecond))
	flight.End()
	// Output: 192.0.2.2:443
}

// Requests of one session go to one endpoint, as long as that is there.
func ExampleHash() {
	eps := []*balance.Endpoint{{ID: 1, Name: "one"}, {ID: 2, Name: "two"}, {ID: 3, Name: "three"}}
	key := balance.ByFirst(balance.ByCookie("session"), balance.BySource())

	r, _ := http.NewRequest(http.MethodGet, "http://example.org/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: "4711"})

	var policy balance.Hash
	first := policy.Pick(eps, key(r), time.Now())
	again := policy.Pick(eps, key(r), time.Now())
	fmt.Println(first == again)
	// Output: true
}

// A cookie keeps a session with the endpoint that it began at.
func ExampleSticky() {
	eps := []*balance.Endpoint{{ID: 1, Name: "one"}, {ID: 2, Name: "two"}}
	policy := balance.Sticky{Secret: []byte("known to all gateways"), Policy: new(balance.RoundRobin)}

	first := eps[policy.Pick(eps, "", time.Now())]
	cookie := &http.Cookie{Name: "endpoint", Value: policy.Token(first)} // for the client

	r, _ := http.NewRequest(http.MethodGet, "http://example.org/", nil)
	r.AddCookie(cookie)
	for range 3 {
		e := eps[policy.Pick(eps, balance.ByCookie("endpoint")(r), time.Now())]
		fmt.Println(e.Name)
	}
	// Output:
	// one
	// one
	// one
}

// An endpoint that is down is left out; when most are, health is ignored.
func ExampleUsable() {
	all := []*balance.Endpoint{{Address: "a"}, {Address: "b"}, {Address: "c", Down: true}}
	var usable balance.Usable
	eps, panics := usable.Append(nil, all)
	fmt.Println(len(eps), panics)

	all[1].Down = true
	eps, panics = usable.Append(eps[:0], all)
	fmt.Println(len(eps), panics)
	// Output:
	// 2 false
	// 3 true
}
