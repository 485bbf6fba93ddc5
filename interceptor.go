package ratmom

import (
	"net/http"
	"slices"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
)

// Interceptor stands between the caller and the network: it sees each request on
// its way out and each response on its way back, and may change, answer, repeat
// or refuse them. It must not change the request it is given; it passes a clone.
//
// From the outside in, the chain is: redirects, the client's interceptors in the
// order they were given, cookies, the network. An interceptor therefore runs once
// per hop, and does not see the jar's cookies.
//
// The two kinds are [InterceptFunc], which blocks and costs SendAsync a goroutine,
// and [Step], which does not block.
type Interceptor interface{ link(*exchange) link }

// Next sends a request through the rest of the chain and blocks until the final
// response head is there. It may be called more than once, but not at the same time.
type Next func(*http.Request) (*Response, error)

// InterceptFunc is an interceptor written as one function around Next.
type InterceptFunc func(req *http.Request, next Next) (*Response, error)

func (f InterceptFunc) link(*exchange) link { return link{block: f} }

// Step is an interceptor in two halves. Either may be nil; neither may block for
// long.
type Step struct {
	// Request returns the request to send in the place of req: req itself or a
	// changed clone.
	Request func(req *http.Request) (*http.Request, error)
	// Response sees what came back for req: a response or an error. It returns
	// what to hand on; or, to send a request through this step and those below
	// it once more, that request. Before that it closes the response's body.
	Response func(req *http.Request, resp *Response, err error) (*Response, *http.Request, error)
}

func (s Step) link(*exchange) link {
	l := link{user: true}
	if s.Request != nil {
		l.down = s.Request
	}
	if s.Response != nil {
		l.up = answerFunc(s.Response)
		l.wants = func(*handler.Handler) bool { return true }
	}
	return l
}

// Intercept is the client option that adds interceptors to those given before; nil is
// none.
func Intercept(is ...Interceptor) config.ClientOption {
	is = slices.DeleteFunc(slices.Clone(is), func(i Interceptor) bool { return i == nil })
	return config.Value(interceptors(is))
}

type interceptors []Interceptor

// After makes several Intercept options add up.
func (is interceptors) After(prev interceptors) interceptors {
	return append(prev[:len(prev):len(prev)], is...)
}

// answerer sees what came back for req, as Step.Response does.
type answerer interface {
	answer(req *http.Request, resp *Response, err error) (*Response, *http.Request, error)
}

type answerFunc func(*http.Request, *Response, error) (*Response, *http.Request, error)

func (f answerFunc) answer(req *http.Request, resp *Response, err error) (*Response, *http.Request, error) {
	return f(req, resp, err)
}

// link is one element of the chain of one exchange.
type link struct {
	block InterceptFunc
	down  func(*http.Request) (*http.Request, error)
	up    answerer
	// wants tells, on the agent's goroutine, whether up has anything to do with
	// what came.
	wants func(*handler.Handler) bool
	user  bool // runs code of the caller's
}
