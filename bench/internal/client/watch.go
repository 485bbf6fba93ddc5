package client

import (
	"runtime"
	"time"
)

// watchGoroutines looks now and then how many goroutines there are. The function
// that it returns ends that and tells the most, the one that looks not counted.
func watchGoroutines() func() int {
	stop, most := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for every := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-every.C:
				n = max(n, runtime.NumGoroutine()-1)
			case <-stop:
				every.Stop()
				most <- n
				return
			}
		}
	}()
	return func() int {
		close(stop)
		return <-most
	}
}
