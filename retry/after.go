package retry

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// After returns how long a response asks to wait by its Retry-After (RFC 9110, section
// 10.2.3): a number of seconds, or a date, counted from now; never less than 0. !ok: it
// does not ask, or nobody can read it.
func After(h http.Header, now time.Time) (d time.Duration, ok bool) {
	v := strings.Trim(h.Get("Retry-After"), " \t")
	if v == "" {
		return 0, false
	}
	if n, ok := seconds(v); ok {
		return n, true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	return max(at.Sub(now), 0), true
}

// seconds reads digits alone. What is beyond a Duration is the longest one.
func seconds(v string) (time.Duration, bool) {
	if strings.Trim(v, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n > int64(math.MaxInt64/time.Second) {
		return math.MaxInt64, true
	}
	return time.Duration(n) * time.Second, true
}
