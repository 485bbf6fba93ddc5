package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The servers are this program, which is a test binary here.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "node" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestGrid_shows_a_server_that_is_killed_and_comes_back(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-short"}, nil, &out))
	assert.Contains(t, out.String(), "Three servers call each other.")
	assert.Contains(t, out.String(), "b was killed")
	assert.Regexp(t, `b is back, and all calls were answered again after \d+ ms`, out.String())
	assert.Regexp(t, `(?m)^a to c  up +\d+`, out.String())
}

func TestGrid_explains_its_flag_and_knows_no_other(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-h"}, nil, &out))
	assert.Contains(t, out.String(), "-short")
	assert.ErrorContains(t, run(t.Context(), []string{"-long"}, nil, &out), "-long")
	assert.EqualError(t, run(t.Context(), []string{"x"}, nil, &out), `"x": there are no arguments but -short`)
}
