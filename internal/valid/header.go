package valid

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/ratmom/ratmom/internal/failure"
)

// Header checks that all names are tokens and no value has a control character
// other than the tab (RFC 9110, section 5.5).
func Header(h http.Header) error {
	if len(h) == 0 {
		return nil
	}
	return fields("header", h)
}

// Trailer checks the names and values of a request's trailer. Names that say
// where a message ends cannot be in a trailer (RFC 9110, section 6.5.1).
func Trailer(h http.Header) error {
	if len(h) == 0 {
		return nil
	}
	for name := range h {
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Trailer", "Transfer-Encoding":
			return invalid("trailer %s: the name is not allowed there", quote(name))
		}
	}
	return fields("trailer", h)
}

func fields(what string, h http.Header) error {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return invalid("invalid %s field name %s", what, quote(name))
		}
		for _, v := range values {
			if httpguts.ValidHeaderFieldValue(v) {
				continue
			}
			i := strings.IndexFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
			return invalid("control character %q at byte %d: invalid %s field value for %s", v[i], i, what, quote(name))
		}
	}
	return nil
}

var errLengths = errors.New("different Content-Length headers")

// ParseContentLength returns the length that Content-Length headers announce,
// -1 if there are none. It takes digits only: no sign, no list. Repeated
// headers must agree (RFC 9112, section 6.3).
func ParseContentLength(values []string) (int64, error) {
	if len(values) == 0 {
		return -1, nil
	}
	first := strings.Trim(values[0], " \t")
	for _, v := range values[1:] {
		if strings.Trim(v, " \t") != first {
			return -1, fmt.Errorf("%w: %s and %s", errLengths, quote(values[0]), quote(v))
		}
	}
	n, err := strconv.ParseUint(first, 10, 63)
	if err != nil {
		return -1, fmt.Errorf("bad Content-Length %s", quote(first))
	}
	return int64(n), nil
}

// ContentLength checks the Content-Length headers of a request and returns what
// they announce, -1 if there are none.
func ContentLength(h http.Header) (int64, error) {
	n, err := ParseContentLength(h["Content-Length"])
	if err != nil {
		return -1, failure.Newf(failure.InvalidRequest, "%w", err)
	}
	return n, nil
}
