package valid

import (
	"net/http"
	"strconv"

	"golang.org/x/net/http/httpguts"

	"github.com/ratmom/ratmom/internal/failure"
)

// Request checks method, URL, Host, header and trailer of r; not its body.
//
// A Content-Length in r.Header is not looked at, as in net/http, which takes
// the length from the body; see ContentLength.
func Request(r *http.Request) error {
	if err := URL(r.URL); err != nil {
		return err
	}
	if err := Header(r.Header); err != nil {
		return err
	}
	if err := Trailer(r.Trailer); err != nil {
		return err
	}
	if err := Method(r.Method); err != nil {
		return err
	}
	if r.Host != "" && r.Host != r.URL.Host { // which was looked at
		return Host(r.Host)
	}
	return nil
}

// Method checks that m is a token (RFC 9110, section 9.1). The empty method,
// which stands for GET, is valid.
func Method(m string) error {
	if m != "" && !httpguts.ValidHeaderFieldName(m) {
		return invalid("invalid method %s", quote(m))
	}
	return nil
}

func invalid(format string, args ...any) error {
	return failure.Newf(failure.InvalidRequest, format, args...)
}

// maxQuote bounds what of the input goes into an error, in bytes.
const maxQuote = 64

func quote(s string) string {
	if len(s) > maxQuote {
		return strconv.Quote(s[:maxQuote]) + "…"
	}
	return strconv.Quote(s)
}
