package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/demo"
)

func TestCancel_gives_up_in_three_ways(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Regexp(t, `^limit: timed out after \d+ms\ncontext: canceled after \d+ms\nfuture: canceled after \d+ms\n$`, out.String())
}

func TestCancel_shows_a_server_that_answers(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{s.URL}, &out))
	assert.Contains(t, out.String(), "limit: came after ")
	assert.Contains(t, out.String(), "future: came after ")
}
