package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/demo"
)

func TestParallel_fetches_all_pages(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Equal(t, pages, strings.Count(out.String(), ": 200 OK, "))
	assert.Contains(t, out.String(), "\n300 pages in ")
}

func TestParallel_goes_on_after_a_failure(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	var out bytes.Buffer
	err = run(t.Context(), []string{"http://127.0.0.1:1/", s.URL + "/page/1"}, &out)
	assert.EqualError(t, err, "1 of 2 failed")
	assert.Contains(t, out.String(), "/page/1: 200 OK, 16 bytes\n")
	assert.Contains(t, out.String(), "\n1 pages in ")
}

func TestParallel_ends_when_interrupted(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Error(t, run(ctx, []string{s.URL + "/silence"}, &bytes.Buffer{}))
}
