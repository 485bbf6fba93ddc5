package retry

import (
	"fmt"
	"strconv"
	"time"
)

// Attempt is a try that did not become the answer.
type Attempt struct {
	Class  Class
	Status int           // of the response, if there was one
	Took   time.Duration // until it had failed
	Waited time.Duration // until the next began
	Hedged bool          // another ran beside it
	Err    error         // why there was no response
}

// String returns a few words without anything from the wire: "status 503".
func (a Attempt) String() string {
	s := a.Class.String()
	if a.Status != 0 {
		s = "status " + strconv.Itoa(a.Status)
	}
	switch {
	case a.Hedged && a.Class == Other:
		s = "slower than another try"
	case a.Hedged:
		s += " beside another try"
	}
	if a.Waited > 0 {
		s = fmt.Sprintf("%s, waited %v", s, a.Waited.Round(time.Millisecond))
	}
	return s
}
