package peer

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// Small requests over one connection: what the placement adds to the plain client shows in
// the processor time, the server's included in both.
func BenchmarkSmall(b *testing.B) {
	s := plain(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	b.Run("client", func(b *testing.B) {
		client, err := ratmom.New(config.Proxy(""))
		require.NoError(b, err)
		defer client.Close()
		req := request(b, http.MethodGet, s.URL)
		measure(b, func() error {
			resp, err := client.Send(req)
			if err != nil {
				return err
			}
			_, err = resp.Bytes()
			return err
		})
	})
	b.Run("peer", func(b *testing.B) {
		m := openMap(b)
		req := request(b, http.MethodGet, s.URL)
		measure(b, func() error {
			_, err := m.Do(req)
			return err
		})
	})
}

func measure(b *testing.B, f func() error) {
	require.NoError(b, f())
	b.ReportAllocs()
	from := processorTime()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime()-from)/float64(b.N), "cpu-ns/op")
}

// processorTime is what the process has used, in nanoseconds.
func processorTime() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// Small requests over one connection, on which one or eight are on their way at once.
func BenchmarkPipeline(b *testing.B) {
	s := plain(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	for _, depth := range []int{1, 8} {
		b.Run(strconv.Itoa(depth), func(b *testing.B) {
			l := openPipeline(b, openMap(b), s.URL, depth)
			req := request(b, http.MethodGet, s.URL)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			from := processorTime()
			var wg sync.WaitGroup
			for range depth {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if a := send(l, req); a.err != nil {
							b.Error(a.err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(processorTime()-from)/float64(b.N), "cpu-ns/op")
		})
	}
}
