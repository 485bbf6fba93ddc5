package ratmom

import (
	"net/http"
	"net/url"

	"github.com/ratmom/ratmom/handler"
)

// rawJar is a jar that takes and gives the fields as they are on the wire, as
// cookie.Jar does: net/http's parser drops what it does not like.
type rawJar interface {
	CookieHeader(*url.URL) string
	SetCookieHeaders(*url.URL, []string)
}

// addCookies adds the link that sends the jar's cookies and keeps the server's.
func (x *exchange) addCookies() {
	jar := x.plan.Jar
	if jar == nil {
		return
	}
	get, set := fields(jar)
	x.add(link{
		user: true, // a jar may be anybody's
		down: func(req *http.Request) (*http.Request, error) {
			field := get(req)
			if field == "" {
				return req, nil
			}
			r := *req
			r.Header = req.Header.Clone()
			if r.Header == nil {
				r.Header = make(http.Header)
			}
			r.Header.Set("Cookie", field)
			return &r, nil
		},
		wants: func(*handler.Handler) bool { return true },
		up: answerFunc(func(req *http.Request, resp *Response, err error) (*Response, *http.Request, error) {
			if err == nil && len(resp.Header["Set-Cookie"]) > 0 {
				set(req, resp)
			}
			return resp, nil, err
		}),
	})
}

// fields returns what asks the jar for a request's Cookie field, after what the request
// has itself, "" for nothing of the jar's, and what gives it those of a response.
func fields(jar http.CookieJar) (get func(*http.Request) string, set func(*http.Request, *Response)) {
	if raw, ok := jar.(rawJar); ok {
		return func(req *http.Request) string {
				field := raw.CookieHeader(req.URL)
				if own := req.Header.Get("Cookie"); field != "" && own != "" {
					field = own + "; " + field
				}
				return field
			}, func(req *http.Request, resp *Response) {
				raw.SetCookieHeaders(req.URL, resp.Header["Set-Cookie"])
			}
	}
	return func(req *http.Request) string {
			cookies := jar.Cookies(req.URL)
			if len(cookies) == 0 {
				return ""
			}
			r := http.Request{Header: http.Header{"Cookie": req.Header["Cookie"]}}
			r.Header = r.Header.Clone()
			for _, c := range cookies {
				r.AddCookie(c)
			}
			return r.Header.Get("Cookie")
		}, func(req *http.Request, resp *Response) {
			if cookies := resp.Cookies(); len(cookies) > 0 {
				jar.SetCookies(req.URL, cookies)
			}
		}
}
