package ratmom

import (
	"net/http"

	"github.com/ratmom/ratmom/handler"
)

// addCookies adds the link that sends the jar's cookies and keeps the server's.
func (x *exchange) addCookies() {
	jar := x.plan.Jar
	if jar == nil {
		return
	}
	x.add(link{
		user: true, // a jar may be anybody's
		down: func(req *http.Request) (*http.Request, error) {
			cookies := jar.Cookies(req.URL)
			if len(cookies) == 0 {
				return req, nil
			}
			r := *req
			r.Header = req.Header.Clone()
			if r.Header == nil {
				r.Header = make(http.Header)
			}
			for _, c := range cookies {
				r.AddCookie(c)
			}
			return &r, nil
		},
		wants: func(*handler.Handler) bool { return true },
		up: answerFunc(func(req *http.Request, resp *Response, err error) (*Response, *http.Request, error) {
			if err == nil {
				if cookies := resp.Cookies(); len(cookies) > 0 {
					jar.SetCookies(req.URL, cookies)
				}
			}
			return resp, nil, err
		}),
	})
}
