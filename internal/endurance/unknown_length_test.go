package endurance

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// A transfer whose speed is limited holds what it may not take yet. An upload of
// unknown length beside it is whole all the same, at the latest when that one is gone.
func TestEnd_of_an_upload_of_unknown_length_comes_when_a_limited_neighbour_goes(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, soakHandler())
		target := soakTarget{mode, s, clientFor(t, mode, s.CAFile, config.Agents(1))}
		limited, err := target.client.Send(request(t, patient(t), "GET", s.URL+"/big"), config.MaxDownloadSpeed(20_000))
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, limited.Body, 1000)
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			done <- target.expect(patient(t), http.MethodPost, "/echo", io.NopCloser(testserver.Pattern(5000)), 5000)
		}()
		select {
		case err = <-done: // libcurl 8
			done <- err
		case <-time.After(100 * time.Millisecond):
		}
		require.NoError(t, limited.Body.Close())
		require.NoError(t, <-done)
	}, testserver.H2)
}
