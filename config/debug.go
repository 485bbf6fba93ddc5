package config

import (
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Debug writes the conversation to w as curl -v prints it: what libcurl says of the
// connection, and the heads; of bodies and TLS records the sizes. Secrets are masked as
// [WireLog] says. Each line begins with a number in brackets for its transfer: redirects and
// retries have their own. Lines are written whole and in one call of Write at a time, whichever
// transfer they are of, from goroutines of their own; so w need not be safe for concurrent use if
// nothing else writes to it before the client is closed. A slow w delays no transfer. After its
// first error nothing more is written.
//
// It takes the place of [WireLog], and the other way around: the one given last counts. nil is off.
//
// Default: nil. CURLOPT_VERBOSE, CURLOPT_DEBUGFUNCTION.
func Debug(w io.Writer) Option {
	if w == nil {
		return both(wireLog{})
	}
	d := &debug{w: w}
	return both(wireLog{each: d.request})
}

// debug writes the lines of many requests to one writer.
type debug struct {
	mu   sync.Mutex
	w    io.Writer
	err  error
	last atomic.Uint64
}

// request returns what writes the conversation of one request.
func (d *debug) request() func(WireEvent) {
	var prefix string
	var open [WireTLSSent + 1]string // the start of a line that has no end yet
	return func(e WireEvent) {
		if e.Kind < 0 || e.Kind > WireTLSSent {
			return
		}
		if e.Kind <= WireHeaderSent {
			text := open[e.Kind] + string(e.Data)
			end := strings.LastIndexByte(text, '\n') + 1
			if e.Kind == WireInfo && end < len(text) {
				text, end = text+"\n", len(text)+1 // a remark is one piece always
			}
			open[e.Kind] = text[end:]
			if len(open[e.Kind]) > maxOpenLine {
				open[e.Kind], end = "", len(text)
			}
			e.Data = []byte(text[:end])
		}
		if len(e.Data) == 0 {
			return
		}
		if prefix == "" { // numbered in the order in which they begin
			prefix = "[" + strconv.FormatUint(d.last.Add(1), 10) + "] "
		}
		var b strings.Builder
		for line := range strings.Lines(e.String()) {
			b.WriteString(prefix)
			b.WriteString(line)
		}
		d.write(b.String())
	}
}

// maxOpenLine bounds what is kept of a line that does not end, in bytes.
const maxOpenLine = 64 << 10

func (d *debug) write(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		_, d.err = io.WriteString(d.w, s)
	}
}
