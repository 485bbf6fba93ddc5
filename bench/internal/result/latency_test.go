package result

import (
	"testing"
	"time"
)

func TestBucketsAreInOrderAndWithoutGaps(t *testing.T) {
	for i := range 1000 {
		if got := bucket(lower(i)); got != i {
			t.Fatalf("bucket %d begins at %d ns, which is put into %d", i, lower(i), got)
		}
		if i > 0 && bucket(lower(i)-1) != i-1 {
			t.Fatalf("what is before bucket %d is not in the one before", i)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var l Latencies
	for i := range 1000 {
		l.Add(time.Duration(i+1) * time.Microsecond)
	}
	for _, p := range []float64{0.5, 0.99} {
		if got, want := l.Percentile(p), 1000*p; got < want*0.96 || got > want*1.04 {
			t.Errorf("the share %v of 1 to 1000 µs is below %v µs", p, got)
		}
	}
}
