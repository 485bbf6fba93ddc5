package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAsync_does_something_else_meanwhile(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Regexp(t, `^(doing something else\n)+200 OK\nThis is page 16\.\n$`, out.String())
}

func TestAsync_fails_like_Send(t *testing.T) {
	assert.ErrorContains(t, run(t.Context(), []string{"http://127.0.0.1:1/"}, &bytes.Buffer{}), "127.0.0.1:1")
}
