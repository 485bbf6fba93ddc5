package ratmom

import (
	"io"
	"net/http"
	"sync"

	"github.com/ratmom/ratmom/config"
)

var shared = sync.OnceValues(func() (*Client, error) { return New() })

// Default returns the client that the package's functions use. It is made at its
// first use, with no options, and must not be closed. It panics only if this
// process's libcurl cannot be used at all; Send and its like return that error
// instead.
func Default() *Client {
	c, err := shared()
	if err != nil {
		panic(err)
	}
	return c
}

// Send sends req with the default client; see [Client.Send].
func Send(req *http.Request, opts ...config.RequestOption) (*Response, error) {
	c, err := shared()
	if err != nil {
		return nil, err
	}
	return c.Send(req, opts...)
}

// SendAsync sends req with the default client; see [Client.SendAsync].
func SendAsync(req *http.Request, opts ...config.RequestOption) *Future {
	c, err := shared()
	if err != nil {
		return failedFuture(err)
	}
	return c.SendAsync(req, opts...)
}

// Get sends a GET request with the default client.
func Get(url string, opts ...config.RequestOption) (*Response, error) {
	return simple((*Client).Get, url, opts)
}

// Head sends a HEAD request with the default client.
func Head(url string, opts ...config.RequestOption) (*Response, error) {
	return simple((*Client).Head, url, opts)
}

// Delete sends a DELETE request with the default client.
func Delete(url string, opts ...config.RequestOption) (*Response, error) {
	return simple((*Client).Delete, url, opts)
}

// Post sends a POST request with the default client.
func Post(url, contentType string, body io.Reader, opts ...config.RequestOption) (*Response, error) {
	return withBody((*Client).Post, url, contentType, body, opts)
}

// Put sends a PUT request with the default client.
func Put(url, contentType string, body io.Reader, opts ...config.RequestOption) (*Response, error) {
	return withBody((*Client).Put, url, contentType, body, opts)
}

// Patch sends a PATCH request with the default client.
func Patch(url, contentType string, body io.Reader, opts ...config.RequestOption) (*Response, error) {
	return withBody((*Client).Patch, url, contentType, body, opts)
}

func simple(f func(*Client, string, ...config.RequestOption) (*Response, error), url string, opts []config.RequestOption) (*Response, error) {
	c, err := shared()
	if err != nil {
		return nil, err
	}
	return f(c, url, opts...)
}

func withBody(f func(*Client, string, string, io.Reader, ...config.RequestOption) (*Response, error), url, contentType string, body io.Reader, opts []config.RequestOption) (*Response, error) {
	c, err := shared()
	if err != nil {
		return nil, err
	}
	return f(c, url, contentType, body, opts...)
}

// Get sends a GET request.
func (c *Client) Get(url string, opts ...config.RequestOption) (*Response, error) {
	return c.do(http.MethodGet, url, "", nil, opts)
}

// Head sends a HEAD request.
func (c *Client) Head(url string, opts ...config.RequestOption) (*Response, error) {
	return c.do(http.MethodHead, url, "", nil, opts)
}

// Delete sends a DELETE request.
func (c *Client) Delete(url string, opts ...config.RequestOption) (*Response, error) {
	return c.do(http.MethodDelete, url, "", nil, opts)
}

// Post sends a POST request. body may be nil; an io.Closer is closed. An empty
// contentType sends none.
func (c *Client) Post(url, contentType string, body io.Reader, opts ...config.RequestOption) (*Response, error) {
	return c.do(http.MethodPost, url, contentType, body, opts)
}

// Put sends a PUT request; see Post.
func (c *Client) Put(url, contentType string, body io.Reader, opts ...config.RequestOption) (*Response, error) {
	return c.do(http.MethodPut, url, contentType, body, opts)
}

// Patch sends a PATCH request; see Post.
func (c *Client) Patch(url, contentType string, body io.Reader, opts ...config.RequestOption) (*Response, error) {
	return c.do(http.MethodPatch, url, contentType, body, opts)
}

func (c *Client) do(method, url, contentType string, body io.Reader, opts []config.RequestOption) (*Response, error) {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		if rc, ok := body.(io.Closer); ok {
			_ = rc.Close()
		}
		return nil, badRequest(method, url, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return c.Send(req, opts...)
}
