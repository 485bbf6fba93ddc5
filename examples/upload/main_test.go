package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/demo"
)

func TestUpload_sends_what_has_no_length_yet(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	assert.Regexp(t, `^200 OK\n1088890 bytes, sha256 64e7e9a948dc5193[0-9a-f]+\nsent \d+ bytes in `, out.String())
}

func TestUpload_sends_a_file(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, bytes.Repeat([]byte("x"), 300_000), 0o600))
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{s.URL + "/upload", name}, &out))
	assert.Regexp(t, `^200 OK\n300000 bytes, sha256 .*\nsent 300000 bytes in `, out.String())
}

func TestUpload_needs_the_file(t *testing.T) {
	err := run(t.Context(), []string{"http://127.0.0.1:1/", "/does/not/exist"}, &bytes.Buffer{})
	assert.ErrorIs(t, err, os.ErrNotExist)
}
