package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPeers_prints_answers_and_then_the_peers(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Equal(t, 3, strings.Count(out.String(), "/json: status 200, "))
	assert.Contains(t, out.String(), "\n3 peers, ")
	assert.Equal(t, 3, strings.Count(out.String(), "requests 1:"))
}

func TestPeers_says_who_has_failed(t *testing.T) {
	var out bytes.Buffer
	assert.EqualError(t, run(t.Context(), []string{"http://127.0.0.1:1/"}, &out), "1 of 1 failed")
	assert.Contains(t, out.String(), "http://127.0.0.1:1/: ")
}
