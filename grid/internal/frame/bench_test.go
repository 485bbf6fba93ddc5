package frame

import "testing"

// BenchmarkFrame makes and reads a request with a deadline.
func BenchmarkFrame(b *testing.B) {
	ext := Extensions{Has: HasDeadline, Deadline: 1000}
	h := Header{Type: Call, Flags: First, Code: 7, ID: 42, Ext: ext.Len()}
	payload := make([]byte, 512)
	h.Length = h.Ext + len(payload)
	whole := append(ext.Append(h.Append(nil)), payload...)
	b.Run("append", func(b *testing.B) {
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			out = append(ext.Append(h.Append(out[:0])), payload...)
		}
	})
	b.Run("parse", func(b *testing.B) {
		var got Extensions
		b.ReportAllocs()
		for b.Loop() {
			h, block, _, _, err := Parse(whole)
			if err == nil {
				err = got.Parse(block)
			}
			if err != nil || Decide(h, ServedAbsent) != Start {
				b.Fatal(err)
			}
		}
	})
}
