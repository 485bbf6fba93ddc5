package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// delegation is the host that stands for another; without a host, nobody does.
type delegation struct {
	host string
	port uint16
}

// String is what goes into a Host field.
func (d delegation) String() string {
	host := d.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if d.port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(int(d.port))
}

// parseDelegation reads "host", "host:port", or an address in place of the host, that
// of IPv6 in brackets.
func parseDelegation(s string) (delegation, error) {
	bad := func() (delegation, error) { return delegation{}, fmt.Errorf("%q is no host", quoted(s)) }
	host, port := s, ""
	if at := strings.LastIndexByte(s, ':'); at >= 0 && !strings.HasSuffix(s, "]") {
		if host, port = s[:at], s[at+1:]; port == "" {
			return bad()
		}
	}
	d := delegation{}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '+' {
			return bad()
		}
		d.port = uint16(n)
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return bad()
		}
		d.host = addr.String()
		return d, nil
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if !addr.Is4() {
			return bad()
		}
		d.host = addr.String()
		return d, nil
	}
	var err error
	if d.host, err = canonical(host); err != nil {
		return bad()
	}
	return d, nil
}

const (
	documentTTL = 24 * time.Hour // where the document does not say
	noneTTL     = time.Hour      // of "there is no document", at most
)

// fetch gets the document of a host and says how long it holds.
func (w *WellKnown) fetch(ctx context.Context, name Name) (delegation, time.Duration, error) {
	fail := func(err error) (delegation, time.Duration, error) {
		kind := Delegation
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			kind = Timeout
		}
		return delegation{}, 0, &Error{Kind: kind, Name: name.Host, Err: err}
	}
	resp, err := w.walk(ctx, "https://"+name.Host+w.Path)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = resp.Body.Close() }()
	ttl := documentTime(resp.Header, time.Now())
	switch {
	case resp.StatusCode >= 400 && resp.StatusCode < 500:
		return delegation{}, min(ttl, noneTTL), nil
	case resp.StatusCode != http.StatusOK:
		return fail(fmt.Errorf("status %d", resp.StatusCode))
	}
	most := orElse(w.MaxSize, 64<<10)
	document, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(document)) > most {
		return fail(fmt.Errorf("the document is longer than %d bytes", most))
	}
	said, err := w.Parse(document)
	if err != nil {
		return fail(err)
	}
	d, err := parseDelegation(said)
	if err != nil {
		return fail(err)
	}
	return d, ttl, nil
}

// walk sends the request, and again where it is redirected to.
func (w *WellKnown) walk(ctx context.Context, at string) (*http.Response, error) {
	for redirects := max(orElse(w.MaxRedirects, 5), 0); ; redirects-- {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return nil, err
		}
		resp, err := w.Fetch(req)
		if err != nil {
			return nil, err
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return resp, nil
		}
		location := resp.Header.Get("Location")
		_ = resp.Body.Close()
		if redirects == 0 {
			return nil, errors.New("too many redirects")
		}
		if at, err = redirected(req.URL, location); err != nil {
			return nil, err
		}
	}
}

// redirected is where a redirect leads: to https only, and with nobody's
// credentials.
func redirected(from *url.URL, location string) (string, error) {
	const most = 8 << 10
	if location == "" || len(location) > most {
		return "", errors.New("a redirect to nowhere")
	}
	to, err := from.Parse(location)
	if err != nil || to.Host == "" {
		return "", errors.New("a redirect to no URL")
	}
	if to.Scheme != "https" || to.User != nil {
		return "", errors.New("a redirect to other than https")
	}
	to.Fragment = ""
	return to.String(), nil
}

// documentTime is how long a response holds: by max-age less Age, else by Expires
// (RFC 9111 section 4.2), else a day; 0 if it is not to be kept.
func documentTime(h http.Header, now time.Time) time.Duration {
	ttl, said := time.Duration(0), false
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch key {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			ttl, said = seconds(strings.Trim(value, `"`)), true
		}
	}
	if said {
		return max(ttl-seconds(h.Get("Age")), 0)
	}
	if expires := h.Get("Expires"); expires != "" {
		at, err := http.ParseTime(expires)
		if err != nil {
			return 0 // "0" and the like are in the past
		}
		return max(at.Sub(now), 0)
	}
	return documentTTL
}

// seconds reads a number of seconds; 0 for what is none, and a year at most.
func seconds(s string) time.Duration {
	const year = 365 * 24 * time.Hour
	n, err := strconv.ParseUint(s, 10, 63)
	if errors.Is(err, strconv.ErrRange) || n > uint64(year/time.Second) {
		return year
	}
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
