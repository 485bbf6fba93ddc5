package ratmom

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
)

// redirects follows 301, 302, 303, 307 and 308 by the rules of fetch and RFC 9110,
// section 15.4. It is the outermost link, so that everything else runs per hop.
type redirects struct {
	x   *exchange
	via []*http.Request
}

func (x *exchange) addRedirects() {
	policy := &x.plan.Redirect
	if policy.Max == 0 {
		return
	}
	x.redirects.x = x
	x.add(link{up: &x.redirects, wants: isRedirect, user: policy.CheckRedirect != nil})
}

func isRedirect(h *handler.Handler) bool { return redirectStatus(h.Status()) }

func redirectStatus(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// answer returns the request of the next hop, if there is one.
func (r *redirects) answer(req *http.Request, resp *Response, err error) (*Response, *http.Request, error) {
	if err != nil || !redirectStatus(resp.StatusCode) {
		return resp, nil, err
	}
	loc := resp.Header.Get("Location")
	if loc == "" {
		return resp, nil, nil
	}
	fail := func(k failure.Kind, format string, args ...any) (*Response, *http.Request, error) {
		_ = resp.Body.Close()
		e := failure.Newf(k, format, args...).At(method(req), req.URL)
		e.LocalAddr, e.RemoteAddr = resp.LocalAddr(), resp.RemoteAddr()
		return nil, nil, e
	}
	u, err := resolve(req.URL, loc)
	if err == nil {
		if up := r.x.client.hsts.Upgrade(u); up != nil {
			u = up
		}
	}
	if err == nil && u.Scheme != "http" && u.Scheme != "https" {
		return fail(failure.Protocol, "redirect to %q: only http and https are followed", failure.MaskText(loc))
	}
	if err == nil && u.Host == "" {
		err = errors.New("no host")
	}
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the text that could not be parsed
		}
		return fail(failure.Protocol, "redirect to %q: %w", failure.MaskText(loc), err)
	}
	policy := r.x.plan.Redirect
	r.via = append(r.via, req)
	if len(r.via) > policy.Max {
		return fail(failure.TooManyRedirects, "stopped after %d", policy.Max)
	}
	next, err := r.next(req, u, resp.StatusCode)
	if err != nil {
		return fail(failure.BodyNotRewindable, "redirect with status %d: %w", resp.StatusCode, err)
	}
	if policy.CheckRedirect != nil {
		switch err := policy.CheckRedirect(next, r.via); err {
		case nil:
		case http.ErrUseLastResponse:
			return resp, nil, nil
		default:
			if next.Body != nil {
				_ = next.Body.Close()
			}
			return fail(failure.Canceled, "redirect to %s: %w", failure.Mask(u), err)
		}
	}
	_ = resp.Body.Close() // what is left of it is drained if it is little
	return nil, next, nil
}

// next makes the request of the next hop.
func (r *redirects) next(req *http.Request, u *url.URL, status int) (*http.Request, error) {
	next := req.Clone(req.Context())
	next.URL = u
	next.Response = nil
	if u.Fragment == "" {
		next.URL.Fragment = req.URL.Fragment // RFC 9110, section 10.2.2
	}
	m := method(req)
	get := status == 303 && m != http.MethodGet && m != http.MethodHead ||
		(status == 301 || status == 302) && m == http.MethodPost
	if get {
		next.Method = http.MethodGet
		next.Body, next.GetBody, next.ContentLength = nil, nil, 0
		next.TransferEncoding, next.Trailer = nil, nil
		for _, k := range bodyHeaders {
			next.Header.Del(k)
		}
	} else {
		fresh, err := rewound(req)
		if err != nil {
			return nil, err
		}
		next.Body = fresh.Body
	}
	if !sameOrigin(req.URL, u) {
		next.Host = ""
		for _, k := range secretHeaders {
			next.Header.Del(k)
		}
		r.x.dropCredentials()
	}
	if r.x.plan.Target != "" {
		p := *r.x.plan
		p.Target = "" // it is of one URL
		r.x.plan = &p
	}
	if r.x.plan.Redirect.AutoReferer {
		setReferer(next, req.URL)
	}
	return next, nil
}

// Headers that describe a body, and those that are for one origin only.
var (
	bodyHeaders = []string{
		"Content-Encoding", "Content-Language", "Content-Length", "Content-Location",
		"Content-Type", "Digest", "Content-Digest", "Last-Modified", "Transfer-Encoding", "Expect",
	}
	secretHeaders = []string{
		"Authorization", "Cookie", "Cookie2", "Proxy-Authorization", "Www-Authenticate", "Host",
	}
)

// dropCredentials forgets the configured credentials of the origin, default headers
// among them, for the rest of the exchange. A client certificate stays: it proves
// who we are to whoever asks.
func (x *exchange) dropCredentials() {
	if x.foreign {
		return
	}
	x.foreign = true
	x.cfg = x.cfg.WithoutCredentials()
	x.plan = handler.NewPlan(x.cfg, x.plan.RoundTripper)
	x.plan.Target = ""
	x.plan.Defaults = x.plan.Defaults.Clone()
	for _, k := range secretHeaders {
		x.plan.Defaults.Del(k)
	}
}

// resolve makes the target of a redirect absolute. Spaces and bytes that are not
// ASCII are percent-encoded, as browsers do.
func resolve(base *url.URL, loc string) (*url.URL, error) {
	u, err := url.Parse(escapeLocation(strings.Trim(loc, " \t")))
	if err != nil {
		return nil, err
	}
	return base.ResolveReference(u), nil
}

func escapeLocation(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		plain = plain && s[i] > ' ' && s[i] < 0x80
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] > ' ' && s[i] < 0x80 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// hasLeftOrigin reports whether an http.Client, which follows redirects itself over a
// [Transport], has come to req from another origin.
func hasLeftOrigin(req *http.Request) bool {
	for last := req; last.Response != nil && last.Response.Request != nil; {
		last = last.Response.Request
		if last.URL == nil || !sameOrigin(last.URL, req.URL) {
			return true
		}
	}
	return false
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && handler.Port(a) == handler.Port(b)
}

// setReferer names the previous page, without its secrets, and not from https to
// http.
func setReferer(req *http.Request, from *url.URL) {
	req.Header.Del("Referer")
	if from.Scheme == "https" && req.URL.Scheme == "http" {
		return
	}
	u := *from
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	req.Header.Set("Referer", u.String())
}
