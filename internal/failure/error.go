package failure

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Error is what every failed request returns, from the call or from reading
// the body. It is one line as text; the verb %+v adds the addresses, libcurl's
// code, and the conversation on the wire if that was recorded.
//
// errors.Is finds its Kind and its cause; errors.As finds what the cause holds.
// It is a net.Error.
type Error struct {
	Kind Kind
	// Op is what was being done: "GET", "read body".
	Op string
	// URL is the request's URL, its userinfo masked.
	URL string
	// Code is the CURLcode; 0 if the failure did not come from libcurl.
	Code int
	// ProxyStatus is the status with which a proxy refused a tunnel (CONNECT); 0 if
	// none did.
	ProxyStatus int
	// Detail is libcurl's own words, or ours where there are none.
	Detail string
	// Err is the cause; it may be nil.
	Err error
	// LocalAddr and RemoteAddr are those of the connection; the zero value if
	// there was none.
	LocalAddr, RemoteAddr netip.AddrPort
	// PeerCertificates are those of the server, the server's own first, if
	// config.CertificateChain asked for them and libcurl has them.
	PeerCertificates []*x509.Certificate
	// Tries is how often the request was tried; 0 or 1 is once.
	Tries int
	// Earlier says in a few words each why the tries before the last one failed, such as
	// "status 503" or "stale connection".
	Earlier []string
	// Text is the whole message, if it is not to be made of the parts above.
	Text string
	// Log is the conversation on the wire, its secrets masked.
	Log []byte
}

var _ net.Error = (*Error)(nil)

// New returns an error of kind k; detail may be empty.
func New(k Kind, detail string) *Error { return &Error{Kind: k, Detail: detail} }

// Newf returns an error of kind k with a formatted detail. As in fmt.Errorf, %w
// names the cause.
func Newf(k Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Detail: err.Error(), Err: errors.Unwrap(err)}
}

// Wrap returns an error of kind k with cause err.
func Wrap(k Kind, err error) *Error { return &Error{Kind: k, Err: err} }

// FromCurl returns the error for a CURLcode and the text in libcurl's error
// buffer. If that is empty, libcurl's general text for the code is the place to
// take it from.
func FromCurl(code int, text string) *Error {
	return &Error{Kind: Classify(code, text), Code: code, Detail: text}
}

// At notes operation and URL, u with its userinfo masked, and returns e.
func (e *Error) At(op string, u *url.URL) *Error {
	e.Op, e.URL = op, Mask(u)
	return e
}

// Error returns one line: operation, URL, kind, libcurl's words, cause.
func (e *Error) Error() string {
	if e.Text != "" {
		return oneLine(e.Text)
	}
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(oneLine(e.Op))
		if e.URL == "" {
			b.WriteString(": ")
		} else {
			b.WriteByte(' ')
		}
	}
	if e.URL != "" {
		b.WriteString(oneLine(e.URL))
		b.WriteString(": ")
	}
	b.WriteString(e.reason())
	if e.Tries > 1 {
		_, _ = fmt.Fprintf(&b, " (tried %d times)", e.Tries)
	}
	return b.String()
}

func (e *Error) reason() string {
	var b strings.Builder
	b.WriteString(e.Kind.Error())
	if e.Kind == Unknown && e.Code != 0 {
		b.Reset()
		b.WriteString("libcurl error ")
		b.WriteString(codeText(e.Code))
	}
	cause := ""
	if e.Err != nil {
		cause = oneLine(e.Err.Error())
	}
	detail := oneLine(e.Detail)
	if detail != "" && !strings.Contains(cause, detail) {
		b.WriteString(": ")
		b.WriteString(detail)
	}
	if cause != "" && (detail == cause || !strings.Contains(detail, cause)) && cause != e.Kind.Error() {
		b.WriteString(": ")
		b.WriteString(cause)
	}
	return b.String()
}

// Format implements fmt.Formatter: %+v is the long form, every other verb
// formats the one line.
func (e *Error) Format(s fmt.State, verb rune) {
	if verb != 'v' || !s.Flag('+') {
		_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), e.Error())
		return
	}
	_, _ = io.WriteString(s, e.Error())
	if e.Code != 0 {
		_, _ = fmt.Fprintf(s, "\n  libcurl: %s", codeText(e.Code))
	}
	if e.LocalAddr.IsValid() {
		_, _ = fmt.Fprintf(s, "\n  local:   %s", e.LocalAddr)
	}
	if e.RemoteAddr.IsValid() {
		_, _ = fmt.Fprintf(s, "\n  remote:  %s", e.RemoteAddr)
	}
	for i, why := range e.Earlier {
		_, _ = fmt.Fprintf(s, "\n  try %d:   %s", i+1, oneLine(why))
	}
	if len(e.Log) > 0 {
		_, _ = fmt.Fprintf(s, "\n%s", strings.TrimRight(string(e.Log), "\n"))
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's kind, or the standard library's error of
// that meaning (see Kind.Is).
func (e *Error) Is(target error) bool {
	if k, ok := target.(Kind); ok {
		return k == e.Kind
	}
	return e.Kind.Is(target)
}

// Timeout reports whether e is a time limit that has passed.
func (e *Error) Timeout() bool {
	if e.Kind == Timeout {
		return true
	}
	var t interface{ Timeout() bool }
	return e.Err != nil && errors.As(e.Err, &t) && t.Timeout()
}

// Temporary is part of net.Error, where it has no settled meaning; it reports
// the same as Timeout, as in net/http.
func (e *Error) Temporary() bool { return e.Timeout() }

// maxDetail bounds what a server can make of an error message, in bytes.
const maxDetail = 1024

// oneLine returns s without what could break a line or a terminal.
func oneLine(s string) string {
	cut := false
	if len(s) > maxDetail {
		s, cut = s[:maxDetail], true
	}
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			clean = false
			break
		}
	}
	if !clean {
		q := strconv.QuoteToGraphic(s)
		s = strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
	}
	if cut {
		s += " …"
	}
	return s
}
