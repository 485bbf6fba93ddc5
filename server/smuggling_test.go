package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// disguises are ways to write "Transfer-Encoding: chunked" that one program takes for that and another
// one does not, as smuggler.py has them (github.com/defparam/smuggler), and some more. The names
// of those that all must take for it begin with "plain".
func disguises() map[string]string {
	d := map[string]string{
		"plain":                    "Transfer-Encoding: chunked",
		"plain, tab":               "Transfer-Encoding:\tchunked",
		"plain, no space":          "Transfer-Encoding:chunked",
		"plain, two spaces":        "Transfer-Encoding:  chunked",
		"plain, tab behind":        "Transfer-Encoding: chunked\t",
		"plain, mixed case":        "TrAnSFer-EnCODinG: cHuNkeD",
		"plain, upper case":        "TRANSFER-ENCODING: CHUNKED",
		"commas":                   "Transfer-Encoding: , chunked ,",
		"space in the name":        "Transfer Encoding: chunked",
		"underscore in the name":   "Transfer_Encoding: chunked",
		"another field":            "Content-Encoding: chunked",
		"TE":                       "TE: chunked",
		"another behind":           "Transfer-Encoding: chunked, cow",
		"another before":           "Transfer-Encoding: cow, chunked",
		"another field before":     "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
		"another field behind":     "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
		"identity before":          "Transfer-Encoding: identity, chunked",
		"identity field behind":    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"between words":            "Transfer-Encoding: cow chunked bar",
		"quoted":                   "Transfer-Encoding: \"chunked\"",
		"in apostrophes":           "Transfer-Encoding: 'chunked'",
		"cut short":                "Transfer-Encoding: chunk",
		"with a parameter":         "Transfer-Encoding: chunked;q=1",
		"with a parameter, spaced": "Transfer-Encoding: chunked ; a=b",
		"folded":                   "Transfer-Encoding:\r\n chunked",
		"folded by LF":             "Transfer-Encoding:\n chunked",
		"folded in the middle":     "Transfer-Encoding: chun\r\n ked",
		"folded name":              "X: y\r\n Transfer-Encoding: chunked",
		"CR in the name":           "Transfer\r-Encoding: chunked",
		"behind CR":                "X:X\rTransfer-Encoding: chunked",
		"behind LF":                "X:X\nTransfer-Encoding: chunked",
		"behind CR LF CR":          "X:X\r\n\rTransfer-Encoding: chunked",
		"Kelvin sign":              "Transfer-Encoding: chun\u212aed",
		"long s":                   "Tran\u017ffer-Encoding: chunked",
		"accent in the name":       "Transf\x82r-Encoding: chunked",
		"accent in the value":      "Transfer-Encoding: ch\x96nked",
		"two colons":               "Transfer-Encoding:: chunked",
		"no colon":                 "Transfer-Encoding chunked",
		"escaped":                  "Transfer%2DEncoding: chunked",
		"trailing dot":             "Transfer-Encoding: chunked.",
	}
	places := []string{"%[1]sTransfer-Encoding: chunked", "Transfer-Encoding%[2]s: chunked", "Transfer-Encoding:%[3]schunked", "Transfer-Encoding: chunked%[4]s"}
	for i := range 0x100 {
		if i > 0x20 && i < 0x7f {
			continue
		}
		c := string([]byte{byte(i)})
		for at, format := range places {
			name := fmt.Sprintf("%02x at %d", i, at)
			if (c == " " || c == "\t") && at > 1 {
				name = "plain, " + name
			}
			d[name] = fmt.Sprintf(strings.ReplaceAll(format, fmt.Sprintf("%%[%d]s", at+1), "%[1]s"), c)
			for other := at + 1; other < len(places); other++ {
				var at4 [4]string
				at4[at], at4[other] = c, c
				name := fmt.Sprintf("%02x at %d and %d", i, at, other)
				if (c == " " || c == "\t") && at > 1 {
					name = "plain, " + name
				}
				d[name] = at4[0] + "Transfer-Encoding" + at4[1] + ":" + at4[2] + "chunked" + at4[3]
			}
		}
	}
	return d
}

// scanDisguise is the framing that a head ends up with.
func scanDisguise(t *testing.T, field, length string) (status int, framing string) {
	limits := Limits{}.withDefaults()
	s := newScanner(&limits, Relax{})
	text := []byte("POST / HTTP/1.1\r\n" + field + "\r\nHost: a\r\n" + length + "\r\n")
	done, err := s.scan(text)
	if err == nil && done {
		var req *http.Request
		if req, err = s.parse(text[:s.size]); err == nil && s.size == len(text) {
			return 200, fmt.Sprintf("%d %v", req.ContentLength, req.TransferEncoding)
		}
	}
	if err == nil {
		return 0, "" // it waits, or ended the head early
	}
	r, ok := err.(*refusal)
	assert.True(t, ok, "%v", err)
	return r.status, ""
}

// Nothing that looks like the chunked coding is ever ignored, nor taken for it beside a length.
func TestHead_is_not_deceived_by_a_disguised_Transfer_Encoding(t *testing.T) {
	// These are fields of other names, which no server takes for it.
	others := map[string]bool{"underscore in the name": true, "another field": true, "TE": true, "escaped": true}
	all := disguises()
	assert.Greater(t, len(all), 1500)
	for name, field := range all {
		plain := strings.HasPrefix(name, "plain")
		status, framing := scanDisguise(t, field, "Content-Length: 5\r\n")
		if others[name] {
			assert.Equal(t, "200 5 []", fmt.Sprint(status, " ", framing), name)
		} else {
			assert.GreaterOrEqual(t, status, 400, "%s beside a length: %q is taken for %q", name, field, framing)
		}
		status, framing = scanDisguise(t, field, "")
		switch {
		case others[name]:
			assert.Equal(t, "200 0 []", fmt.Sprint(status, " ", framing), name)
		case plain:
			assert.Equal(t, "200 -1 [chunked]", fmt.Sprint(status, " ", framing), "%s: %q", name, field)
		default:
			assert.GreaterOrEqual(t, status, 400, "%s: %q is taken for %q", name, field, framing)
		}
	}
}

// The same for the length, in the same places.
func TestHead_is_not_deceived_by_a_disguised_Content_Length(t *testing.T) {
	for name, field := range disguises() {
		field = strings.NewReplacer("Transfer-Encoding", "Content-Length", "chunked", "3").Replace(field)
		if !strings.Contains(field, "Content-Length") || !strings.Contains(name, " at ") {
			continue
		}
		status, framing := scanDisguise(t, field, "Content-Length: 5\r\n")
		assert.GreaterOrEqual(t, status, 400, "%s beside another: %q is taken for %q", name, field, framing)
		status, framing = scanDisguise(t, field, "")
		if strings.HasPrefix(name, "plain") {
			assert.Equal(t, "200 3 []", fmt.Sprint(status, " ", framing), "%s: %q", name, field)
		} else {
			assert.GreaterOrEqual(t, status, 400, "%s: %q is taken for %q", name, field, framing)
		}
	}
}

// smuggler.py's own question, over the wire: with a body that ends where one of the framings says, and not
// where the other does, the server must neither wait nor run what is behind.
func TestServer_is_clean_for_smuggler(t *testing.T) {
	var smuggled atomic.Int32
	addr := start(t, &Server{Pipeline: 3, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/smuggled" {
			smuggled.Add(1)
		}
		_, _ = io.Copy(w, r.Body)
	})})
	for name, field := range disguises() {
		if strings.Contains(name, " at ") {
			continue // the scan's test has them all
		}
		for kind, body := range map[string]string{
			"TE.CL": "Content-Length: 6\r\n\r\n0\r\n\r\nX",
			"CL.TE": "Content-Length: 4\r\n\r\n1\r\nZ\r\n0\r\n\r\n",
			"TE.0":  "Content-Length: 5\r\n\r\n0\r\n\r\n" + get1("/smuggled"),
		} {
			if kind == "TE.0" && (name == "underscore in the name" || name == "another field" || name == "TE" || name == "escaped") {
				continue // there it is a request of its own, for everybody
			}
			got := talk(t, addr, "POST / HTTP/1.1\r\n"+field+"\r\nHost: a\r\n"+body+bye("/"))
			assert.Regexp(t, `^HTTP/1\.1 [245]`, got, "%s %s", kind, name)
		}
	}
	assert.Zero(t, smuggled.Load())
}
