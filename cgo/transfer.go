package cgo

/*
#include "ratmom.h"
*/
import "C"

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"sync/atomic"
	"unsafe"

	curl "github.com/andelf/go-curl"
)

// Transfer is one libcurl easy run: the easy handle and the C memory that its
// callbacks write to. It comes from a [Pool] and goes back to it.
type Transfer struct {
	easy *curl.CURL
	r    *C.struct_ratmom_req
	pin  runtime.Pinner

	// What the handle is set up for, so that the next request of the kind need
	// not set it again.
	profile any
	target  []byte // packed options that depend on the URL
	headers []byte // packed header lines
	url     []byte // packed URL
	parsed  *parsedURL
	kin     uint64
	tls     uint64 // see Options.tlsConfig
	warm    bool
}

// Warm reports whether the options of the last use are still set.
func (t *Transfer) Warm() bool { return t.warm }

// Keep notes that the transfer may be warm for the next request of this profile and
// target. Call it after Prepare, for requests that set nothing but URL, header and
// time limit beyond those.
func (t *Transfer) Keep(profile any, target *Options) {
	if t.r.nowned == 0 { // other lists than the header are freed with the request
		t.profile = profile
		t.target = append(t.target[:0], target.buf...)
	}
}

// Headers sets the header lines, packed alone in o, unless they are set already.
func (t *Transfer) Headers(o, into *Options) {
	if t.warm && bytes.Equal(t.headers, o.buf) {
		return
	}
	t.headers = append(t.headers[:0], o.buf...)
	into.Append(o)
}

// URL sets the URL, packed alone in o, unless it is set already.
func (t *Transfer) URL(o, into *Options, p *Pool) {
	if t.warm && bytes.Equal(t.url, o.buf) {
		return
	}
	t.url = append(t.url[:0], o.buf...)
	old := t.parsed
	t.parsed = nil
	// CURLOPT_CURLU first: 8.x forgets CURLOPT_URL when it is set, to NULL too.
	if text := o.firstString(); text != nil {
		t.parsed = p.urls.get(text)
	}
	if t.parsed != nil {
		into.pointer(OptCurlU, unsafe.Pointer(t.parsed.c))
	} else if old != nil {
		into.pointer(OptCurlU, nil)
	}
	into.Append(o)
	old.release()
}

// Setup is what a transfer must know before it runs, beside its options.
type Setup struct {
	ID        uint64
	Slot      uint32
	HighWater int  // bytes buffered before receiving is paused
	MaxHead   int  // bytes of head before the response is refused
	Infos     bool // collect Infos at the end of a good transfer too
	// AuthArmed tells that libcurl may answer a 401 or 407 itself, ExpectSent
	// that it may answer a 417: such heads are not final.
	AuthArmed, ExpectSent bool
	// MayResend asks to tell a refused stream from a dead connection.
	MayResend bool
	Debug     bool // collect the wire log
	Trailers  bool // request trailers will follow the body
	InfoFree  bool // 1xx heads do not count towards MaxHead
	Limited   bool // the speed is limited
	HeadOnly  bool // end at the head, as for a HEAD request that has a body
	TLS       bool // the request goes over TLS
	// TLSInTLS tells that the request goes over TLS through an https proxy.
	TLSInTLS bool
	// Certificates asks for those of the server.
	Certificates bool
	// Sent asks to be told how far the body is.
	Sent bool
	// Origin is a hash of where the request goes; Serial tells that it has a connection
	// for itself while it runs, and is another origin.
	Origin uint64
	Serial bool
	// Kin is a hash of all the options that decide whether two requests to an origin can
	// share a connection. A warm transfer keeps the one that it has.
	Kin    uint64
	Tunnel Tunnel
}

// Prepare sets all options in one call.
func (t *Transfer) Prepare(s *Setup, o *Options) error {
	if o.err != nil {
		return o.err
	}
	r := t.r
	r.id = C.uint64_t(s.ID)
	r.slot = C.uint32_t(s.Slot)
	r.high_water = C.uint64_t(s.HighWater)
	r.max_head = C.uint64_t(s.MaxHead)
	r.want_info = flag(s.Infos)
	r.auth_armed = flag(s.AuthArmed)
	r.expect_sent = flag(s.ExpectSent)
	r.may_resend = flag(s.MayResend)
	r.debug_on = flag(s.Debug)
	r.has_trailers = flag(s.Trailers)
	r.info_free = flag(s.InfoFree)
	r.exact = flag(s.Infos || s.Limited)
	r.limited = flag(s.Limited && Features().Version < 0x080000)
	r.head_only = flag(s.HeadOnly)
	r.tls = flag(s.TLS)
	r.tls_in_tls = flag(s.TLSInTLS && Features().Backend("OpenSSL"))
	r.want_certs = flag(s.Certificates)
	r.want_sent = flag(s.Sent)
	r.origin = C.uint64_t(s.Origin)
	r.serial = flag(s.Serial)
	if !t.warm {
		t.kin = s.Kin
		t.tls = o.tlsConfig()
	}
	r.kin = C.uint64_t(t.kin)
	r.tls_config = C.uint64_t(t.tls)
	r.tunnel = C.uint32_t(s.Tunnel)
	var bad C.int
	rc := C.ratmom_req_setup(r, (*C.uchar)(unsafe.SliceData(o.buf)), C.size_t(len(o.buf)), flagInt(t.warm), &bad)
	if rc != 0 {
		return &OptionError{Option: Opt(bad), Code: int(rc)}
	}
	return nil
}

// SetSlot names the place where the agent keeps the request's handler.
func (t *Transfer) SetSlot(slot uint32) { t.r.slot = C.uint32_t(slot) }

// OptionError tells which option libcurl refused.
type OptionError struct {
	Option Opt
	Code   int // CURLcode
}

// Error names the option and gives libcurl's text for the code.
func (e *OptionError) Error() string {
	return fmt.Sprintf("libcurl refused %v: %s", e.Option, Strerror(e.Code))
}

// Strerror is libcurl's text for a CURLcode.
func Strerror(code int) string {
	return C.GoString(C.curl_easy_strerror(C.CURLcode(code)))
}

func flagInt(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

func flag(b bool) C.uint32_t {
	if b {
		return 1
	}
	return 0
}

// BodyCopy gives the transfer a small request body; it is copied and sent
// together with the head. Call it before Prepare, whose options may change the
// method.
func (t *Transfer) BodyCopy(p []byte) error {
	if rc := C.ratmom_req_body(t.r, (*C.uchar)(unsafe.SliceData(p)), C.size_t(len(p))); rc != 0 {
		return fmt.Errorf("request body: %s", Strerror(int(rc)))
	}
	return nil
}

// BodyMemory gives the transfer a request body in memory without copying it: p
// must not change until the transfer has ended.
func (t *Transfer) BodyMemory(p []byte) {
	if len(p) > 0 {
		t.pin.Pin(unsafe.SliceData(p))
	}
	t.r.upload_kind = C.RATMOM_UP_MEMORY
	t.r.mem = (*C.uchar)(unsafe.SliceData(p))
	t.r.mem_len = C.uint64_t(len(p))
}

// Sent is how much of a body of BodyMemory or BodyRing libcurl has taken. Agent only.
func (t *Transfer) Sent() int64 {
	if t.r.upload_kind == C.RATMOM_UP_RING {
		return int64(t.r.ring_head)
	}
	return int64(t.r.mem_off)
}

// BodyRing gives the transfer a ring of size bytes, a power of two, through which
// a request body of length bytes (-1: unknown) is streamed; see [Ring].
func (t *Transfer) BodyRing(size int, length int64, rewindable bool) error {
	if rc := C.ratmom_req_ring(t.r, C.uint64_t(size)); rc != 0 {
		return fmt.Errorf("request body: %s", Strerror(int(rc)))
	}
	t.r.upload_kind = C.RATMOM_UP_RING
	t.r.ring_total, t.r.ring_left = C.int64_t(length), C.int64_t(length)
	t.r.rewindable = flag(rewindable)
	return nil
}

// SetTrailers gives the request's trailers, each "Name: value", before the end of
// its body is reached.
func (t *Transfer) SetTrailers(items []string) error {
	var b []byte
	for _, s := range items {
		b = binary.NativeEndian.AppendUint32(b, uint32(len(s)))
		b = append(append(b, s...), 0)
	}
	rc := C.ratmom_req_trailers(t.r, (*C.uchar)(unsafe.SliceData(b)), C.size_t(len(b)), C.int(len(items)))
	if rc != 0 {
		return fmt.Errorf("request trailers: %s", Strerror(int(rc)))
	}
	return nil
}

// Event is a set of things that happened to a transfer.
type Event uint32

const (
	EventHead   Event = C.RATMOM_EV_HEAD   // the final head is complete
	EventInfo   Event = C.RATMOM_EV_INFO   // 1xx heads arrived
	EventBody   Event = C.RATMOM_EV_BODY   // body bytes arrived
	EventPaused Event = C.RATMOM_EV_PAUSED // receiving paused at the high-water mark
	EventWant   Event = C.RATMOM_EV_WANT   // libcurl wants the request body
	EventSpace  Event = C.RATMOM_EV_SPACE  // the ring has room again
	EventRewind Event = C.RATMOM_EV_REWIND // the request body must begin again
	EventDebug  Event = C.RATMOM_EV_DEBUG  // wire log arrived
	EventDone   Event = C.RATMOM_EV_DONE   // the transfer has ended
	EventTunnel Event = C.RATMOM_EV_TUNNEL // the tunnel is there, and goes on
	EventSent   Event = C.RATMOM_EV_SENT   // libcurl has taken more of the body, see [Transfer.Sent]
	EventDial   Event = C.RATMOM_EV_DIAL   // a connection is wanted, see [Transfer.Dial]
)

// TakeEvents returns the marks of the last step and clears them.
func (t *Transfer) TakeEvents() Event {
	e := Event(t.r.events)
	t.r.events = 0
	return e
}

func bytesOf(b *C.struct_ratmom_buf) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(b.p)), int(b.len))
}

// Head is the raw final head, in C memory that the next step may change.
func (t *Transfer) Head() []byte { return bytesOf(&t.r.head) }

// Certificates copies those of the server, in PEM, if they were asked for and there are
// any.
func (t *Transfer) Certificates() []byte { return append([]byte(nil), bytesOf(&t.r.certs)...) }

// TakeInfo copies the raw 1xx heads that have arrived.
func (t *Transfer) TakeInfo() []byte {
	b := append([]byte(nil), bytesOf(&t.r.info)...)
	t.r.info.len = 0
	return b
}

// Trailer is the raw trailer section, in C memory.
func (t *Transfer) Trailer() []byte { return bytesOf(&t.r.trailer) }

// TakeDebug copies the wire log that has arrived: records of type uint32, size
// uint32, bytes.
func (t *Transfer) TakeDebug() []byte {
	b := append([]byte(nil), bytesOf(&t.r.debug)...)
	t.r.debug.len = 0
	return b
}

// Status is the status code of the final head.
func (t *Transfer) Status() int { return int(t.r.status) }

// TakeBody hands over the body bytes of the last step.
func (t *Transfer) TakeBody() Chunks {
	c := Chunks{t.r.body_first, t.r.body_last, int(t.r.body_new)}
	t.r.body_first, t.r.body_last, t.r.body_new = nil, nil, 0
	return c
}

// Consumed tells the transfer that n body bytes have been read by the user, from
// any goroutine while the transfer has not ended. It returns what is still
// buffered.
func (t *Transfer) Consumed(n int) int {
	return int(atomic.AddInt64((*int64)(unsafe.Pointer(&t.r.buffered)), -int64(n)))
}

// Discard makes the transfer drop all further body bytes, and fail if there are
// more than limit of them.
func (t *Transfer) Discard(limit int) {
	t.r.discard, t.r.discard_left = 1, C.uint64_t(limit)
}

// RecvPaused reports whether receiving is paused.
func (t *Transfer) RecvPaused() bool { return t.r.recv_paused != 0 }

// SendPaused reports whether sending is paused.
func (t *Transfer) SendPaused() bool { return t.r.send_paused != 0 }

// Received is the number of body bytes received.
func (t *Transfer) Received() int64 { return int64(t.r.received) }

// HeadBytes is the number of head bytes received, 1xx and trailers included.
func (t *Transfer) HeadBytes() int64 { return int64(t.r.head_bytes) }

// Reused reports whether the request went over a connection that was there before.
func (t *Transfer) Reused() bool { return t.r.reused != 0 }

// Connected reports whether the request was given a connection.
func (t *Transfer) Connected() bool { return t.r.prereqs != 0 }

// SentAt is when the request's body had been handed over to libcurl, or when the
// request was about to be sent if it has none; by the clock of [Now], 0: not yet.
func (t *Transfer) SentAt() int64 {
	if t.r.dial_id != 0 {
		return 0
	}
	return int64(t.r.t_sent)
}

// RecvAt is when the last bytes of the response came; by the clock of [Now], 0: not
// yet.
func (t *Transfer) RecvAt() int64 { return int64(t.r.t_recv) }

// LocalAddr is our address of the connection; the zero value on unix sockets and
// before there is a connection.
func (t *Transfer) LocalAddr() netip.AddrPort { return addrPort(&t.r.local) }

// RemoteAddr is the address of the connection's other end, a proxy's if there is
// one; the zero value on unix sockets and before there is a connection.
func (t *Transfer) RemoteAddr() netip.AddrPort { return addrPort(&t.r.remote) }

func addrPort(a *C.struct_ratmom_addr) netip.AddrPort {
	ip := *(*[16]byte)(unsafe.Pointer(&a.ip))
	switch a.family {
	case 4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[:4])), uint16(a.port))
	case 6:
		return netip.AddrPortFrom(netip.AddrFrom16(ip), uint16(a.port))
	}
	return netip.AddrPort{}
}

// Cause is why a transfer was ended from our side.
type Cause uint32

const (
	CauseNone         Cause = C.RATMOM_CAUSE_NONE           // not at all
	CauseHeadTooLarge Cause = C.RATMOM_CAUSE_HEAD_TOO_LARGE // the head is beyond Setup.MaxHead
	CauseResend       Cause = C.RATMOM_CAUSE_RESEND         // libcurl was about to send the request again
	CauseRefused      Cause = C.RATMOM_CAUSE_REFUSED        // the server says that it has not processed the request
	CauseUpload       Cause = C.RATMOM_CAUSE_UPLOAD         // the request body failed
	CauseShortUpload  Cause = C.RATMOM_CAUSE_SHORT_UPLOAD   // the request body ended before its length
	CauseMemory       Cause = C.RATMOM_CAUSE_MEMORY         // out of memory
	CauseHeadOnly     Cause = C.RATMOM_CAUSE_HEAD_ONLY      // nothing but the head was wanted
	CauseMulti        Cause = C.RATMOM_CAUSE_MULTI          // the multi handle refused it
	CauseLookups      Cause = C.RATMOM_CAUSE_LOOKUPS        // too many look-ups were left behind
	CauseHungUp       Cause = C.RATMOM_CAUSE_HUNG_UP        // the connection had been closed from here; nothing was sent
	CauseRewind       Cause = C.RATMOM_CAUSE_REWIND         // the body had to begin again and cannot
	CauseLinkLost     Cause = C.RATMOM_CAUSE_LINK_LOST      // the connection of its link cannot be used; nothing was sent
	CauseRevoked      Cause = C.RATMOM_CAUSE_REVOKED        // it was taken back in time; nothing was sent
)

// Result is how a transfer ended.
type Result struct {
	Code  int // CURLcode
	Cause Cause
	Multi int    // CURLMcode, with CauseMulti
	Text  string // libcurl's own words
}

// Result returns how the transfer ended.
func (t *Transfer) Result() Result {
	res := Result{Code: int(t.r.result), Cause: Cause(t.r.cause), Multi: int(t.r.multi_code)}
	if res.Code != 0 {
		res.Text = C.GoString(&t.r.errbuf[0])
	}
	return res
}

// Infos are libcurl's figures of a transfer; times in microseconds from its start. -1
// is what this libcurl does not have.
type Infos struct {
	Queue, PostTransfer, ConnID                                        int64
	NameLookup, Connect, AppConnect, PreTransfer, StartTransfer, Total int64
	Sent, Received, RequestSize, HeaderSize                            int64
	HTTPVersion, ConnectCode, OSErrno, NumConnects, VerifyResult       int64
}

// Infos returns the figures, collected at the end if they were asked for or the
// transfer failed.
func (t *Transfer) Infos() Infos {
	return *(*Infos)(unsafe.Pointer(&t.r.infos))
}

var _ = [1]struct{}{}[unsafe.Sizeof(Infos{})-unsafe.Sizeof(C.struct_ratmom_info{})]
