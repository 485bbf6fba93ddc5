package endurance

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Before 8.0.0 libcurl, at the end of an upload of unknown length, goes on with its
// connection's input though another stream has not taken all of the last frame.
func TestEnd_of_an_upload_of_unknown_length_leaves_the_neighbours_bodies_whole(t *testing.T) {
	const rounds = 400
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, soakHandler())
		target := soakTarget{mode, s, clientFor(t, mode, s.CAFile, config.Agents(1))}
		ctx, cancel := context.WithTimeout(context.Background(), 6*patience)
		defer cancel()
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				for n := range rounds {
					if i%3 == 0 {
						assert.NoError(t, target.expect(ctx, http.MethodGet, "/big", nil, soakBig))
					} else {
						size := int64(1 + (n*7919+i*104729)%50_000)
						assert.NoError(t, target.expect(ctx, http.MethodPost, "/echo", io.NopCloser(testserver.Pattern(size)), size))
					}
				}
			})
		}
		all.Wait()
	}, testserver.H2, testserver.H2C)
}
