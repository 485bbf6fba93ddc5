package grid

import (
	"math/bits"
	"net"
	"sync/atomic"
	"time"
)

// Traffic counts what went over the connections to a peer.
type Traffic struct {
	BytesIn, BytesOut     uint64        // of batches, without the heads of the WebSocket and what TLS adds
	BatchesIn, BatchesOut uint64        // messages of the WebSocket
	FramesIn              uint64        // in the batches that were read
	CreditStalls          uint64        // how often a sender of a stream waited for the receiver
	QueueStalls           uint64        // how often a sender waited for room in the queue
	QueueBytes            int           // small messages that wait to be sent
	QueueAge              time.Duration // how long the oldest of them has waited
	BulkWindow            int           // bytes of large messages that may be under way
}

// traffic is the count of one session.
type traffic struct {
	bytesIn, bytesOut     atomic.Uint64
	batchesIn, batchesOut atomic.Uint64
	framesIn              atomic.Uint64
	creditStalls          atomic.Uint64
	queueStalls           atomic.Uint64
}

func (t *traffic) read(n int) {
	t.bytesIn.Add(uint64(n))
	t.batchesIn.Add(1)
}

func (t *traffic) wrote(parts net.Buffers) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	t.bytesOut.Add(uint64(n))
	t.batchesOut.Add(1)
}

// addTo adds what was counted to sum.
func (t *traffic) addTo(sum *Traffic) {
	sum.BytesIn += t.bytesIn.Load()
	sum.BytesOut += t.bytesOut.Load()
	sum.BatchesIn += t.batchesIn.Load()
	sum.BatchesOut += t.batchesOut.Load()
	sum.FramesIn += t.framesIn.Load()
	sum.CreditStalls += t.creditStalls.Load()
	sum.QueueStalls += t.queueStalls.Load()
}

// counters are those of a handler.
type counters struct {
	started, failed, panicked, canceled, overloaded atomic.Uint64
	bytesIn, bytesOut                               atomic.Uint64
	latency                                         histogram
}

// Histogram counts durations by powers of two: bucket i those below 2^i µs, and
// the last one the rest.
type Histogram struct {
	Buckets [32]uint64    // how many were counted in each
	Count   uint64        // in all buckets together
	Sum     time.Duration // of all durations
}

// Quantile returns an upper bound of the q-th quantile (0 to 1), 0 if nothing was
// counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.Count == 0 {
		return 0
	}
	rank := uint64(q*float64(h.Count-1)) + 1
	for i, n := range h.Buckets {
		if rank <= n {
			return time.Microsecond << i
		}
		rank -= n
	}
	return time.Microsecond << (len(h.Buckets) - 1)
}

type histogram struct {
	buckets [32]atomic.Uint64
	sum     atomic.Int64
}

func (h *histogram) add(d int64) {
	i := min(bits.Len64(uint64(max(d, 0))/1000), len(h.buckets)-1)
	h.buckets[i].Add(1)
	h.sum.Add(d)
}

func (h *histogram) load() (out Histogram) {
	for i := range h.buckets {
		n := h.buckets[i].Load()
		out.Buckets[i] = n
		out.Count += n
	}
	out.Sum = time.Duration(h.sum.Load())
	return out
}
