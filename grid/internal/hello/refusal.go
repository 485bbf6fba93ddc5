package hello

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// Why a session is not begun: codes of GOAWAY. Those below 0x100 are for a session that had begun.
const (
	Malformed     = 0x101 + iota // what was said is not understood
	NoVersion                    // there is no version that both speak
	UnknownPeer                  // a name that is not known, or not the one that is expected
	NotProven                    // the proof of the secret is wrong, or there is none
	NoCertificate                // the certificate is not one of that name, or there is none
	Self                         // both ends are the same process
)

const maxReason = 500

// Refusal is why a session was not begun. It has no secrets.
type Refusal struct {
	Code   uint16
	Reason string
	Remote bool // the other side said so
}

func (r *Refusal) Error() string {
	if r.Remote {
		return "grid: refused by the other side: " + r.Reason
	}
	return "grid: refused: " + r.Reason
}

func refused(code uint16, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// parseRefusal reads a GOAWAY. Its reason is for logs, so it is made fit for them.
func parseRefusal(h frame.Header, payload []byte) *Refusal {
	var f frame.Failure
	if h.Flags != frame.Err || f.Parse(payload) != nil {
		return refused(Malformed, "a malformed %v", h.Type)
	}
	text := strings.ToValidUTF8(f.Message[:min(len(f.Message), maxReason)], "")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
	return &Refusal{Code: h.Code, Reason: text, Remote: true}
}

// tell says to the other side why, as far as it is worth it.
func (r *Refusal) tell(c *ws.Conn) {
	if r.Remote {
		return
	}
	reason := r.Reason
	for len(reason) > maxReason || !utf8.ValidString(reason) {
		reason = reason[:min(len(reason)-1, maxReason)]
	}
	f := frame.Failure{Never: true, Message: reason}
	if send(c, frame.Header{Type: frame.Goaway, Flags: frame.Err, Code: r.Code}, f.Append(nil)) == nil {
		_ = c.WriteClose(ws.ClosePolicy, "")
	}
}
