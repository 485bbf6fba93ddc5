package config

import (
	"regexp"
	"strconv"
	"strings"
)

// WireLog hands the conversation on the wire to f as it happens: what libcurl
// says of the connection, the heads sent and received, the bodies and the TLS
// records' sizes. f is called in order, for one request at a time, from a
// goroutine of its own, never from the agent's; calls for different requests run
// at the same time. The values of Authorization, Proxy-Authorization, Cookie and
// Set-Cookie are masked. The last part of the conversation is also in the errors'
// %+v. Default: off. (CURLOPT_VERBOSE, CURLOPT_DEBUGFUNCTION)
func WireLog(f func(WireEvent)) Option { return both(wireLog{f}) }

type wireLog struct{ f func(WireEvent) }

func (wireLog) validate() error { return nil }

// WireLog is the function that the conversation goes to, or nil.
func (r *RequestConfig) WireLog() func(WireEvent) {
	w, _ := lookup[wireLog](r)
	return w.f
}

// WireKind says what a WireEvent holds.
type WireKind int

// The numbers are libcurl's curl_infotype.
const (
	WireInfo           WireKind = iota // libcurl's remarks
	WireHeaderReceived                 // response head and trailers
	WireHeaderSent                     // request head
	WireBodyReceived
	WireBodySent
	WireTLSReceived // TLS records
	WireTLSSent
)

// WireEvent is one piece of the conversation.
type WireEvent struct {
	Kind WireKind
	Data []byte // secrets masked
}

// NewWireEvent copies data and masks its secrets.
func NewWireEvent(kind WireKind, data []byte) WireEvent {
	e := WireEvent{Kind: kind}
	switch kind {
	case WireInfo, WireHeaderReceived, WireHeaderSent:
		e.Data = secret.ReplaceAll(data, []byte("${1}***"))
	default:
		e.Data = append([]byte(nil), data...)
	}
	return e
}

// A header line, or libcurl's remark on an HTTP/2 header: "[cookie: x]".
var secret = regexp.MustCompile(`(?im)((?:^|\[)(?:proxy-)?(?:authorization|(?:set-)?cookie): ?)[^\r\n\]]*`)

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
