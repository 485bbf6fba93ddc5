// Package usercall calls functions of users on goroutines that must go on whatever becomes of them.
package usercall

import (
	"log"
	"runtime/debug"
)

// Run calls f. A panic of it goes to the standard logger, as with net/http's handlers, and no further.
func Run(name string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			Report(name, v)
		}
	}()
	f()
}

// Report writes down a panic that was recovered, for who calls without Run.
func Report(name string, v any) { log.Printf("panic in %s: %v\n%s", name, v, debug.Stack()) }
