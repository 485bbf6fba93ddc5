package altsvc

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ratmom/ratmom/internal/field"
)

const (
	// defaultAge holds where there is no ma (section 3.1).
	defaultAge = 24 * time.Hour
	// maxAge is the longest that an alternative is believed for.
	maxAge = 365 * 24 * time.Hour
	// maxPerOrigin bounds the alternatives of one origin.
	maxPerOrigin = 8
)

// advertised is one alternative of a field.
type advertised struct {
	Service
	age     time.Duration
	persist bool
}

// parse reads the value of a field (section 3). Alternatives of protocols that are
// not known here are left out. One that is not as it must be is none.
func parse(field, host string) (list []advertised, clear, ok bool) {
	if strings.Trim(field, " \t") == "clear" {
		return nil, true, true
	}
	for s := field; ; {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return list, false, true
		}
		var a advertised
		var known bool
		if a, known, s, ok = alternative(s, host); !ok {
			return nil, false, false
		}
		if known && len(list) < maxPerOrigin {
			list = append(list, a)
		}
	}
}

// alternative takes one alternative with its parameters off the front of s.
func alternative(s, host string) (a advertised, known bool, rest string, ok bool) {
	id, s := field.Token(s)
	s, ok = strings.CutPrefix(s, "=")
	if id == "" || !ok {
		return a, false, "", false
	}
	authority, s, ok := field.Quoted(s)
	if !ok {
		return a, false, "", false
	}
	a.Protocol, known = protocols[unescape(id)]
	a.age = defaultAge
	if a.Host, a.Port, ok = splitAuthority(authority, host); !ok {
		return a, false, "", false
	}
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			return a, known, s, true
		}
		if s[0] != ';' {
			return a, false, "", false
		}
		var name, value string
		name, s = field.Token(strings.TrimLeft(s[1:], " \t"))
		if s, ok = strings.CutPrefix(s, "="); name == "" || !ok {
			return a, false, "", false
		}
		if strings.HasPrefix(s, `"`) {
			value, s, ok = field.Quoted(s)
		} else {
			value, s = field.Token(s)
			ok = value != ""
		}
		if !ok {
			return a, false, "", false
		}
		switch strings.ToLower(name) {
		case "ma":
			if a.age, ok = field.Seconds(value, maxAge); !ok {
				return a, false, "", false
			}
		case "persist":
			a.persist = value == "1"
		}
	}
}

// splitAuthority reads "host:port", where no host means the origin's.
func splitAuthority(s, host string) (string, int, bool) {
	h, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, false
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil || port == 0 {
		return "", 0, false
	}
	if h == "" {
		h = host
	}
	h = strings.ToLower(strings.TrimSuffix(h, "."))
	return h, int(port), plainHost(h)
}

// plainHost reports whether a host can be given to libcurl: a name in ASCII or an
// address without a zone.
func plainHost(h string) bool {
	if strings.Contains(h, ":") {
		a, err := netip.ParseAddr(h)
		return err == nil && a.Zone() == ""
	}
	for i := range len(h) {
		switch c := h[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return len(h) <= 253 && !strings.Contains("."+h+".", "..")
}

// protocols are the names of ALPN that mean something here.
var protocols = map[string]string{"h3": "h3", "h2": "h2", "http/1.1": "http/1.1"}

func unescape(id string) string {
	if s, err := url.PathUnescape(id); err == nil {
		return s
	}
	return id
}
