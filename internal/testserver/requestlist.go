package testserver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requestList keeps what a server has received.
type requestList struct {
	watch
	t    testing.TB
	list []*Request
}

func (l *requestList) add(r *Request) {
	l.change(func() {
		r.Number = len(l.list)
		l.list = append(l.list, r)
	})
}

func (l *requestList) all() (copies []*Request) {
	l.read(func() {
		for _, r := range l.list {
			c := *r
			copies = append(copies, &c)
		}
	})
	return copies
}

func (l *requestList) only() *Request {
	l.t.Helper()
	all := l.all()
	require.Len(l.t, all, 1, "requests received")
	return all[0]
}

func (l *requestList) waitFor(n int, d time.Duration) bool {
	return l.within(d, func() bool { return len(l.list) >= n })
}
