package ratmom

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/failure"
)

// StatusError is a response whose status says that there is nothing to download.
type StatusError struct {
	StatusCode int    // 404
	Status     string // "404 Not Found"
}

// Error is the status.
func (e *StatusError) Error() string { return "the server answered " + e.Status }

// Download sends req, a GET, and saves the body under name; it returns the file's size.
// Until the body is complete it is in name+".part", which stays when the download
// breaks off: the next call for the same URL gets the rest alone (RFC 9110, section
// 14), if the server has said by ETag or Last-Modified what it sent, and still has the
// same. Else, or if the server knows no ranges, it begins anew. What is known of the
// part is in name+".part.json".
//
// The file appears, or is replaced, only when it is complete. An error's part is kept
// as far as it can be gone on with. Nothing is written after the context of req has ended.
// A status other than 200 or 206 is a *[StatusError].
// Two downloads of the same name must not run at the same time. req must have no body
// and no Range or If-Range of its own; compression is not asked for.
func (c *Client) Download(req *http.Request, name string, opts ...config.RequestOption) (int64, error) {
	if req == nil || req.URL == nil {
		return 0, failure.New(failure.InvalidRequest, "the request has no URL")
	}
	if name == "" {
		return 0, errNoName
	}
	if m := method(req); m != http.MethodGet || req.Body != nil && req.Body != http.NoBody {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return 0, failure.New(failure.InvalidRequest, "a download is a GET without a body").At(m, req.URL)
	}
	for _, k := range []string{"Range", "If-Range"} {
		if _, ok := req.Header[k]; ok {
			return 0, failure.Newf(failure.InvalidRequest, "%s is made by the download", k).At(http.MethodGet, req.URL)
		}
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real // a link stays one
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return 0, &os.PathError{Op: "download", Path: name, Err: errors.New("is no regular file")}
	}
	d := &download{client: c, req: req, name: name, opts: opts}
	d.load()
	again, err := d.run()
	if again {
		d.forget()
		_, err = d.run()
	}
	if err != nil {
		return 0, err
	}
	return d.size, nil
}

// download is one call of Download.
type download struct {
	client *Client
	req    *http.Request
	name   string
	opts   []config.RequestOption
	known  partState
	size   int64 // of the part
}

// partState is what is known of a part.
type partState struct {
	URL       string
	Validator string // for If-Range: a strong ETag, or a date
}

func (d *download) part() string  { return d.name + ".part" }
func (d *download) state() string { return d.name + ".part.json" }

// load looks for the part of an earlier call.
func (d *download) load() {
	b, err := os.ReadFile(d.state())
	if err != nil || json.Unmarshal(b, &d.known) != nil || d.known.URL != failure.Mask(d.req.URL) || !validValidator(d.known.Validator) {
		d.known = partState{}
		return
	}
	if info, err := os.Lstat(d.part()); err == nil && info.Mode().IsRegular() {
		d.size = info.Size()
	}
}

// forget begins anew.
func (d *download) forget() {
	d.known, d.size = partState{}, 0
	_ = os.Remove(d.part())
	_ = os.Remove(d.state())
}

// run gets what is missing. again asks for one more try, from the beginning.
func (d *download) run() (again bool, err error) {
	r := d.req.Clone(d.req.Context())
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Accept-Encoding", "identity")
	resumed := d.known.Validator != "" && d.size > 0
	if resumed {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.size))
		r.Header.Set("If-Range", d.known.Validator)
	}
	resp, err := d.client.Send(r, d.opts...)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if err := d.wanted(); err != nil {
		return false, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return false, d.begin(resp)
	case http.StatusPartialContent:
		if !resumed {
			return false, d.fail(resp, "206 without a range that was asked for")
		}
		return d.goOn(resp)
	case http.StatusRequestedRangeNotSatisfiable:
		if !resumed {
			break
		}
		// The part may be the whole.
		_, _, total, ok := contentRange(resp.Header.Get("Content-Range"))
		if ok && total == d.size {
			return false, d.finish()
		}
		return true, nil
	}
	return false, &StatusError{resp.StatusCode, resp.Status}
}

// wanted is an error once the context has ended, though all of the file may be here.
func (d *download) wanted() error {
	if ctx := d.req.Context(); ctx.Err() != nil {
		return late(ctx).At(http.MethodGet, d.req.URL)
	}
	return nil
}

// fail is an answer that makes no sense.
func (d *download) fail(resp *Response, format string, args ...any) error {
	return failure.Newf(failure.Protocol, format, args...).At(http.MethodGet, resp.EffectiveURL)
}

// begin saves a whole body.
func (d *download) begin(resp *Response) error {
	d.forget()
	if v := validator(resp); v != "" {
		d.known = partState{failure.Mask(d.req.URL), v}
		b, err := json.Marshal(d.known)
		if err == nil {
			err = os.WriteFile(d.state(), b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return d.save(resp, os.O_CREATE|os.O_EXCL, -1)
}

// goOn appends the rest to the part.
func (d *download) goOn(resp *Response) (again bool, err error) {
	first, last, total, ok := contentRange(resp.Header.Get("Content-Range"))
	switch {
	case resp.Uncompressed || resp.Header.Get("Content-Encoding") != "":
		return true, nil // the bytes of a coding that the part does not have
	case !ok || first != d.size || total >= 0 && last != total-1:
		return true, nil // multipart/byteranges, or other bytes than were asked for
	case resp.ContentLength >= 0 && resp.ContentLength != last-first+1:
		return true, nil
	case !sameValidator(d.known.Validator, resp):
		return true, nil // it changed, and the server does not know If-Range
	}
	return false, d.save(resp, os.O_APPEND, last+1)
}

// save writes the body behind what is there. whole is the size that the file must
// have then, -1 if any will do.
func (d *download) save(resp *Response, flag int, whole int64) error {
	n, err := resp.writeFile(d.part(), os.O_WRONLY|flag, d.wanted)
	d.size += n
	switch {
	case err == nil && whole >= 0 && d.size != whole:
		err = d.fail(resp, "%d bytes instead of %d", d.size, whole)
		d.forget()
	case err != nil && d.known.Validator == "":
		d.forget() // nothing to go on with
	}
	if err != nil {
		return err
	}
	return d.finish()
}

func (d *download) finish() error {
	if err := os.Rename(d.part(), d.name); err != nil {
		return err
	}
	_ = os.Remove(d.state())
	return nil
}

// validator is what a later If-Range can name: a strong ETag, else a date that is old
// enough to be one (RFC 9110, section 13.1.5); "" if there is none.
func validator(resp *Response) string {
	if resp.Uncompressed || resp.Header.Get("Content-Encoding") != "" {
		return ""
	}
	if tag := resp.Header.Get("Etag"); tag != "" {
		if strings.HasPrefix(tag, "W/") || !validValidator(tag) {
			return ""
		}
		return tag
	}
	modified, err := http.ParseTime(resp.Header.Get("Last-Modified"))
	if err != nil {
		return ""
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil || date.Sub(modified).Seconds() < 1 {
		return ""
	}
	return resp.Header.Get("Last-Modified")
}

// validValidator reports whether s can stand in If-Range: a file may hold anything.
func validValidator(s string) bool {
	if len(s) > 1 && s[0] == '"' && strings.IndexByte(s[1:], '"') == len(s)-2 {
		return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
	}
	_, err := http.ParseTime(s)
	return err == nil
}

// sameValidator reports whether what resp says of itself is not another thing than v.
func sameValidator(v string, resp *Response) bool {
	if v[0] == '"' {
		tag := resp.Header.Get("Etag")
		return tag == "" || tag == v
	}
	modified := resp.Header.Get("Last-Modified")
	return modified == "" || modified == v
}

// contentRange reads "bytes first-last/total"; total is -1 if it is not known. For
// "bytes */total" first and last are -1.
func contentRange(s string) (first, last, total int64, ok bool) {
	unit, rest, _ := strings.Cut(s, " ")
	span, size, slash := strings.Cut(rest, "/")
	if !strings.EqualFold(unit, "bytes") || !slash {
		return 0, 0, 0, false
	}
	if total = -1; size != "*" {
		if total, ok = digits(size); !ok {
			return 0, 0, 0, false
		}
	}
	if span == "*" {
		return -1, -1, total, total >= 0
	}
	a, b, dash := strings.Cut(span, "-")
	first, okA := digits(a)
	last, okB := digits(b)
	if !dash || !okA || !okB || last < first || total >= 0 && last >= total {
		return 0, 0, 0, false
	}
	return first, last, total, true
}

func digits(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}
