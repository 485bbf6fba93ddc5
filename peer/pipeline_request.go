package peer

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/valid"
)

// piped is a request on a pipeline.
type piped struct {
	method string
	text   []byte
	ctx    context.Context
	undo   context.CancelFunc
	done   chan answered // gets one
	// What a snapshot shows.
	path, rawQuery string
	born           time.Time

	// Under the pipe's lock.
	state     pipedState
	cancelled bool
	freed     bool // its place is free again
}

type pipedState uint8

const (
	pipedQueued    pipedState = iota
	pipedSent                 // or about to be
	pipedAnswering            // its head has come
	pipedOver
)

type answered struct {
	resp *http.Response
	err  error
}

// notOurs are the fields that say how the connection goes on, or announce a body.
var notOurs = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Expect", "Trailer", "Transfer-Encoding", "Content-Length",
}

// newRequest checks a request and puts it into bytes.
func (c *pipe) newRequest(req *http.Request) (*piped, error) {
	if req == nil || req.URL == nil {
		return nil, errNoURL
	}
	if err := valid.Request(req); err != nil {
		return nil, err
	}
	if err := unsafeMethod(req.Method); err != nil {
		return nil, err
	}
	id, err := idOf(req.URL, c.peer.id.Profile)
	if err != nil {
		return nil, err
	}
	if id.Proxy = c.peer.id.Proxy; id != c.peer.id {
		return nil, errOtherPeer
	}
	if req.Body != nil && req.Body != http.NoBody || len(req.Trailer) > 0 || req.Close || handler.Upgrades(req) {
		return nil, failure.New(failure.InvalidRequest, "a request on a pipeline has no body, and does not end or change the connection")
	}
	for name := range req.Header {
		if slices.Contains(notOurs, http.CanonicalHeaderKey(name)) {
			return nil, failure.Newf(failure.InvalidRequest, "the header %s of a request on a pipeline is not the caller's", name)
		}
	}
	if bindsConnection(req.Header) {
		return nil, ErrNotPinned
	}
	if c.peer.plan.NoUserinfo && req.URL.User != nil {
		return nil, failure.New(failure.InvalidRequest, "the URL has a user name in it (config.DisallowUserinfo)")
	}
	r := &piped{method: methodOf(req), done: make(chan answered, 1), path: req.URL.Path, rawQuery: req.URL.RawQuery, born: time.Now()}
	if r.text, err = c.encode(req); err != nil {
		return nil, err
	}
	if d := c.peer.plan.Total; d > 0 {
		r.ctx, r.undo = context.WithTimeoutCause(req.Context(), d, failure.New(failure.Timeout, "the total time is over"))
	} else {
		r.ctx, r.undo = context.WithCancel(req.Context())
	}
	return r, nil
}

func (c *pipe) encode(req *http.Request) ([]byte, error) {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	host, err := httpguts.PunycodeHostPort(host)
	if err != nil {
		return nil, failure.Newf(failure.InvalidRequest, "host: %w", err)
	}
	var b bytes.Buffer
	line := func(name, value string) {
		b.WriteString(name)
		b.WriteString(": ")
		b.WriteString(value)
		b.WriteString("\r\n")
	}
	b.WriteString(methodOf(req))
	b.WriteByte(' ')
	b.WriteString(req.URL.RequestURI())
	b.WriteString(" HTTP/1.1\r\n")
	line("Host", host)
	plan := c.peer.plan
	if _, ok := req.Header["User-Agent"]; !ok && plan.UserAgent != "" && plan.Defaults["User-Agent"] == nil {
		line("User-Agent", plan.UserAgent)
	}
	if u := req.URL.User; u != nil && req.Header["Authorization"] == nil {
		password, _ := u.Password()
		line("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	_ = req.Header.WriteSubset(&b, map[string]bool{"Host": true}) // into memory
	given := map[string]bool{"Host": true}
	for _, name := range notOurs {
		given[name] = true
	}
	for name := range req.Header {
		given[http.CanonicalHeaderKey(name)] = true
	}
	_ = plan.Defaults.WriteSubset(&b, given)
	b.WriteString("\r\n")
	return b.Bytes(), nil
}
