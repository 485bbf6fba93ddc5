package sched

import (
	"fmt"
	"testing"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

// BenchmarkSmall queues messages and has them given out in batches of so many.
func BenchmarkSmall(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			q := Queue{BulkLimit: minWindow}
			ext := frame.Extensions{Has: frame.HasDeadline}
			h := frame.Header{Type: frame.Call, Flags: frame.First}
			payload := make([]byte, 512)
			var batch Batch
			var parts [][]byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q.Put(h, &ext, payload, 1000, 1)
				if i%n == n-1 && q.Next(&batch, 2) {
					parts = batch.Parts(parts[:0])
					batch.Release()
				}
			}
		})
	}
}

// BenchmarkLarge cuts messages into fragments, of so many flows by turns.
func BenchmarkLarge(b *testing.B) {
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("flows=%d", n), func(b *testing.B) {
			q := Queue{BulkLimit: minWindow}
			flows := make([]Flow, n)
			messages := make([]Message, n)
			payload := make([]byte, 1<<20)
			var batch Batch
			b.SetBytes(int64(n * len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				for i := range flows {
					messages[i] = Message{Header: frame.Header{Type: frame.Call}, Payload: payload}
					q.Add(&flows[i], &messages[i])
				}
				for q.Next(&batch, 1) {
					batch.Release()
					q.Ack(q.Sent())
				}
			}
		})
	}
}
