package config

import (
	"strconv"
	"strings"
)

// WireLog hands the conversation on the wire to f as it happens: what libcurl
// says of the connection, the heads sent and received, the bodies, the TLS records.
// f is called in order and by one goroutine at a time for one request, its redirects and
// repeats included, never by the agent's; calls for different requests run at the
// same time. In heads and remarks the values of header fields that hold
// secrets (Authorization, Cookie and their like) and the userinfo of URLs are
// masked; bodies are as they are. The last part of the conversation is also in the
// errors' %+v.
//
// Default: nil, off. CURLOPT_VERBOSE, CURLOPT_DEBUGFUNCTION.
//
// It takes the place of [Debug], and the other way around: the one given last counts.
func WireLog(f func(WireEvent)) Option { return both(wireLog{f: f}) }

type wireLog struct {
	f    func(WireEvent)
	each func() func(WireEvent) // makes one for each transfer
}

func (wireLog) validate() error { return nil }

// WireLog is the function that the conversation of one transfer goes to, or nil.
func (r *RequestConfig) WireLog() func(WireEvent) {
	w, _ := lookup[wireLog](r)
	if w.each != nil {
		return w.each()
	}
	return w.f
}

// WireKind says what a WireEvent holds.
type WireKind int

// The numbers are libcurl's curl_infotype.
const (
	WireInfo           WireKind = iota // libcurl's remarks
	WireHeaderReceived                 // response head and trailers
	WireHeaderSent                     // request head
	WireBodyReceived                   // a piece of the response body
	WireBodySent                       // a piece of the request body
	WireTLSReceived                    // TLS records
	WireTLSSent                        // TLS records
)

// WireEvent is one piece of the conversation.
type WireEvent struct {
	Kind WireKind
	Data []byte // secrets masked
}

// NewWireEvent copies data and masks its secrets. Pieces of one request that may
// be cut within a line need a [WireMasker].
func NewWireEvent(kind WireKind, data []byte) WireEvent {
	return new(WireMasker).Event(kind, data)
}

var wirePrefix = [...]string{"* ", "< ", "> ", "{ ", "} ", "{ ", "} "}

// String formats the event as curl -v does; of bodies and TLS records it gives the
// size.
func (e WireEvent) String() string {
	if e.Kind < 0 || int(e.Kind) >= len(wirePrefix) {
		return ""
	}
	var b strings.Builder
	if e.Kind > WireHeaderSent {
		what := "bytes of body"
		if e.Kind >= WireTLSReceived {
			what = "bytes of TLS"
		}
		b.WriteString(wirePrefix[e.Kind])
		b.WriteString("[" + strconv.Itoa(len(e.Data)) + " " + what + "]\n")
		return b.String()
	}
	for line := range strings.Lines(string(e.Data)) {
		b.WriteString(wirePrefix[e.Kind])
		b.WriteString(strings.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	return b.String()
}
