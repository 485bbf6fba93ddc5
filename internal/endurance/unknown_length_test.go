package endurance

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

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

// Before 8.0.0 a transfer whose speed is limited holds what it may not take yet, in
// the input of its connection: it has one of its own.
func TestEnd_of_an_upload_of_unknown_length_waits_for_no_transfer_with_a_limited_speed(t *testing.T) {
	s := testserver.Start(t, testserver.H2, soakHandler())
	target := soakTarget{testserver.H2, s, clientFor(t, testserver.H2, s.CAFile, config.Agents(1))}
	upload := func() error {
		return target.expect(patient(t), http.MethodPost, "/echo", io.NopCloser(testserver.Pattern(5000)), 5000)
	}
	limited, err := target.client.Send(request(t, patient(t), "GET", s.URL+"/big"), config.MaxDownloadSpeed(20_000))
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, limited.Body, 1000)
	require.NoError(t, err)
	require.NoError(t, upload())
	require.NoError(t, limited.Body.Close())

	target.client = clientFor(t, testserver.H2, s.CAFile, config.Agents(1), config.MaxUploadSpeed(1_000_000))
	require.NoError(t, target.expect(patient(t), "GET", "/small", nil, soakSmall))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { assert.NoError(t, upload()) })
	}
	all.Wait()
}

// libcurl before 8.0.0 forgets what a small buffer cannot take of a frame.
func TestSmall_buffers_take_whole_bodies_over_HTTP2(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.Start(t, mode, soakHandler())
		target := soakTarget{mode, s, clientFor(t, mode, s.CAFile, config.Agents(1), config.BufferSize(4096))}
		ctx := patient(t)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 6 {
					assert.NoError(t, target.expect(ctx, http.MethodGet, "/big", nil, soakBig))
				}
			})
		}
		all.Wait()
	}, testserver.H2, testserver.H2C)
}
