package health_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ratmom/ratmom/peer/health"
)

// An error answers for the peer for a while; then one request finds out.
func ExampleErrors() {
	now := time.Now()
	errs := health.Errors[string]{Jitter: -1}
	ask := func(after time.Duration) health.Ticket {
		ticket, err := errs.Ask("example.org", now.Add(after))
		fmt.Printf("%v: %v, probe %v\n", after, err, ticket.Probe())
		return ticket
	}
	first := ask(0)
	errs.Fail("example.org", first, health.Fault{Kind: health.KindRefused, Err: errors.New("refused")}, now)
	ask(900 * time.Millisecond)
	probe := ask(time.Second)
	ask(time.Second)
	errs.Succeed("example.org", probe)
	ask(time.Second)
	// Output:
	// 0s: <nil>, probe false
	// 900ms: the peer is not asked, because of an error before (refused): refused, probe false
	// 1s: <nil>, probe true
	// 1s: the peer is not asked, because of an error before (refused): refused, probe false
	// 1s: <nil>, probe false
}

// Five failures in a row, and an endpoint rests.
func ExampleOutliers() {
	now := time.Now()
	outliers := health.Outliers{Policy: health.OutlierPolicy{Jitter: -1}}
	for id := range uint64(10) {
		outliers.Add(id, now)
	}
	for range 5 {
		if e, ok := outliers.Report(3, false, now); ok {
			fmt.Println(e.ID, e.Cause, e.Until.Sub(now))
		}
	}
	for _, e := range outliers.Tick(now.Add(30 * time.Second)) {
		fmt.Println(e.ID, e.Cause)
	}
	// Output:
	// 3 consecutive failures 30s
	// 3 its time is over
}

// Who wants more than the limits is refused at once.
func ExampleBreaker() {
	breaker := health.Breaker{Limits: health.Limits{Links: 1}}
	fmt.Println(breaker.Take(health.Links))
	fmt.Println(breaker.Take(health.Links))
	breaker.Give(health.Links)
	fmt.Println(breaker.Take(health.Links))
	// Output:
	// <nil>
	// the limit of the peer is reached: 1 links
	// <nil>
}

// Endpoints are probed until the checker is closed.
func ExampleChecker() {
	changes := make(chan health.Change, 1)
	checker := health.NewChecker(health.CheckerConfig{
		Probe: health.ProbeFunc(func(_ context.Context, address string) error {
			return errors.New("no answer") // health.TCP{}, health.TLS{} or health.HTTP{}
		}),
		Changed: func(c health.Change) { changes <- c },
	})
	defer checker.Close()
	checker.Add(1, "192.0.2.1:443")
	c := <-changes
	fmt.Println(c.Address, c.State, c.Err)
	// Output: 192.0.2.1:443 down no answer
}
