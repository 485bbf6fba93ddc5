package server

import (
	"net/http"
	"sync/atomic"
	"time"
)

// date is the text of the Date field, for the second that it was made in.
type date struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[date]

// appendDate adds the time as RFC 9110, section 5.6.7, writes it. Formatting it once a second is
// enough for all connections.
func appendDate(b []byte) []byte {
	now := time.Now()
	d := lastDate.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		lastDate.Store(d)
	}
	return append(b, d.text...)
}
