package config

import (
	"net/url"
	"testing"
	"time"

	"github.com/ratmom/ratmom/cgo"
)

func BenchmarkRequest(b *testing.B) {
	c := client(b, Timeout(time.Second), UserAgent("x"))
	u := &url.URL{Scheme: "http", Host: "example.org"}
	var o cgo.Options
	b.Run("without options of its own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, _ := c.Request()
			o.Reset()
			_ = r.Encode(&o, u)
		}
	})
	b.Run("with two", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, _ := c.Request(Timeout(time.Minute), Metrics(true))
			o.Reset()
			_ = r.Encode(&o, u)
		}
	})
	b.Run("an accessor", func(b *testing.B) {
		r := c.Defaults()
		for b.Loop() {
			r.Metrics()
		}
	})
}
