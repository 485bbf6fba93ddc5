package retry_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/retry"
)

func ExampleRun_Next() {
	policy := retry.Policy{Tries: 3, Base: time.Nanosecond}.Full()
	budget, _ := retry.NewBudget(0, 0, 0)
	now := time.Now()

	run := retry.Begin(&policy, budget, now)
	run.Start(now)
	d := run.Next(retry.Request{Method: "GET", Replayable: true}, retry.Try{
		Class: retry.Status, Status: 503, Header: http.Header{"Retry-After": {"2"}}, Now: now,
	})
	fmt.Println(d.Repeat, d.After.Round(time.Second))

	run = retry.Begin(&policy, budget, now)
	run.Start(now)
	d = run.Next(retry.Request{Method: "POST", Replayable: true}, retry.Try{Class: retry.Timeout, Now: now})
	fmt.Println(d.Repeat, d.Why)
	// Output:
	// true 2s
	// false it may have been processed
}
