package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSimple_prints_the_page(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Regexp(t, `^HTTP/1.1 200 OK from 127\.0\.0\.1:\d+\n\nThis page came from`, out.String())
}

func TestSimple_says_what_is_wrong_with_a_URL(t *testing.T) {
	var out bytes.Buffer
	assert.ErrorContains(t, run(t.Context(), []string{"gopher://127.0.0.1/"}, &out), "gopher")
	assert.ErrorContains(t, run(t.Context(), []string{"http://127.0.0.1:1/"}, &out), "127.0.0.1:1")
	assert.Empty(t, out.String())
}
