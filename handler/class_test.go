package handler

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

func TestClass_of_every_end_before_the_head(t *testing.T) {
	curl := func(code int) error { return failure.FromCurl(code, "words") }
	proxy := func(status int) error { return &failure.Error{Kind: failure.Proxy, Code: 56, ProxyStatus: status} }
	for _, c := range []struct {
		name string
		h    *Handler // what is known of the transfer
		err  error
		want retry.Class
	}{
		{"good", &Handler{connected: true}, nil, retry.Other},
		{"not ours", &Handler{connected: true}, errors.New("x"), retry.Other},
		{"a head was there", &Handler{connected: true, stream: &body.Stream{}}, curl(56), retry.Other},
		{"given up", &Handler{connected: true, givenUp: true}, failure.Wrap(failure.Timeout, context.DeadlineExceeded), retry.Other},
		{"given up with an error of ours", &Handler{givenUp: true}, curl(7), retry.Other},

		{"no name", &Handler{}, curl(6), retry.Connect},
		{"refused", &Handler{}, curl(7), retry.Connect},
		{"connect timeout", &Handler{}, curl(28), retry.Connect},
		{"handshake", &Handler{}, curl(35), retry.Connect},
		{"reset in the handshake", &Handler{}, curl(56), retry.Connect},
		{"certificate", &Handler{}, curl(60), retry.Other},
		{"client certificate", &Handler{}, curl(58), retry.Other},
		{"proxy without an answer", &Handler{}, proxy(0), retry.Connect},
		{"proxy that cannot reach it", &Handler{}, proxy(502), retry.Connect},
		{"proxy that is busy", &Handler{}, proxy(503), retry.Connect},
		{"proxy that is slow", &Handler{}, proxy(504), retry.Connect},
		{"proxy that wants to know who", &Handler{}, proxy(407), retry.Other},
		{"proxy that does not allow it", &Handler{}, proxy(403), retry.Other},
		{"malformed URL", &Handler{}, curl(3), retry.Other},

		{"refused stream", &Handler{connected: true, refused: refusedStream}, failure.New(failure.HTTP2, ""), retry.Refused},
		{"closed before it was sent", &Handler{connected: true, reused: true, refused: refusedUnsent}, failure.New(failure.ConnectionClosed, ""), retry.NeverSent},

		{"re-sending that was vetoed", &Handler{connected: true, reused: true}, failure.New(failure.ConnectionClosed, ""), retry.Stale},
		{"nothing on a reused one", &Handler{connected: true, reused: true}, curl(52), retry.Stale},
		{"reset of a reused one", &Handler{connected: true, reused: true}, curl(56), retry.Stale},
		{"send error on a reused one", &Handler{connected: true, reused: true}, curl(55), retry.Stale},
		{"HTTP/2 error of a reused one", &Handler{connected: true, reused: true}, curl(16), retry.Stale},
		{"end of a reused HTTP/2 connection", &Handler{connected: true, reused: true}, curl(18), retry.Stale},
		{"no connection after a reused one", &Handler{connected: true, reused: true}, curl(7), retry.Stale},
		{"no handshake after a reused one", &Handler{connected: true, reused: true}, curl(35), retry.Stale},

		{"nothing", &Handler{connected: true}, curl(52), retry.Broken},
		{"reset", &Handler{connected: true}, curl(56), retry.Broken},
		{"send error", &Handler{connected: true}, curl(55), retry.Broken},
		{"stream error", &Handler{connected: true}, curl(92), retry.Broken},
		{"end of an HTTP/2 connection", &Handler{connected: true}, curl(18), retry.Broken},
		{"stream error on a reused one", &Handler{connected: true, reused: true}, curl(92), retry.Broken},
		{"half a head", &Handler{connected: true}, failure.New(failure.Protocol, ""), retry.Broken},
		{"not HTTP", &Handler{connected: true}, curl(8), retry.Other},
		{"head timeout", &Handler{connected: true}, failure.New(failure.Timeout, ""), retry.Timeout},
		{"low speed", &Handler{connected: true, reused: true}, curl(28), retry.Timeout},
		{"no connection for a second round", &Handler{connected: true}, curl(7), retry.Other},

		{"head too large", &Handler{connected: true}, failure.New(failure.HeadTooLarge, ""), retry.Other},
		{"request body", &Handler{connected: true}, failure.New(failure.RequestBody, ""), retry.Other},
		{"not rewindable", &Handler{connected: true}, failure.New(failure.BodyNotRewindable, ""), retry.Other},
		{"closed client", &Handler{connected: true}, failure.New(failure.Closed, ""), retry.Other},
		{"stopped agent", &Handler{}, failure.New(failure.AgentStopped, ""), retry.Other},
		{"memory", &Handler{connected: true}, curl(27), retry.Other},
		{"too many look-ups left behind", &Handler{}, failure.New(failure.NameResolution, ""), retry.Connect},
	} {
		assert.Equal(t, c.want.String(), c.h.classify(c.err).String(), c.name)
		if c.err != nil {
			assert.Equal(t, c.want, c.h.classify(fmt.Errorf("wrapped: %w", c.err)), c.name)
		}
	}
}
