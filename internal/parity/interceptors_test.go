package parity

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestInterceptors_can_change_the_method(t *testing.T) {
	head := func(req *http.Request) *http.Request {
		req = req.Clone(req.Context())
		req.Method = http.MethodHead
		return req
	}
	for name, i := range map[string]ratmom.Interceptor{
		"one that blocks": ratmom.InterceptFunc(func(req *http.Request, next ratmom.Next) (*ratmom.Response, error) { return next(head(req)) }),
		"one that does not": ratmom.Step{Request: func(req *http.Request) (*http.Request, error) {
			return head(req), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := testserver.MockReply(t, testserver.Text(200, "not for HEAD"))
			_, text := get(t, newClient(t, ratmom.Intercept(i)), m.URL)
			assert.Equal(t, http.MethodHead, m.Request().Method)
			assert.Empty(t, text)
		})
	}
}
