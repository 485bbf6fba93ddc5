package ratmom

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/internal/failure"
)

// NewRequest makes a request whose body is c, with its type and length, and with the
// GetBody that redirects and authentication need. A nil c is no body. It can be sent
// by any client, this package's or net/http's.
//
//	req, err := ratmom.NewRequest(ctx, "POST", url, body.JSON(v))
func NewRequest(ctx context.Context, method, rawURL string, c *body.Content) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, rawURL, nil)
	if err != nil {
		return nil, badRequest(method, rawURL, err)
	}
	if c == nil {
		return req, nil
	}
	if err := c.Attach(req); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return nil, e.At(method, req.URL)
		}
		return nil, err
	}
	return req, nil
}

// badRequest says why a request could not be made, without the password that its URL
// may have.
func badRequest(method, rawURL string, err error) error {
	e := failure.Wrap(failure.InvalidRequest, err)
	var parse *url.Error
	if errors.As(err, &parse) {
		e.Err = parse.Err
	}
	e.Op, e.URL = method, failure.MaskText(rawURL)
	return e
}
