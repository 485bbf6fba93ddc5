package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/demo"
)

func TestDownload_saves_the_file(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	name := filepath.Join(t.TempDir(), "file")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{s.URL + "/bytes/1000000", name}, &out, nil))
	assert.Equal(t, name+": 1000000 bytes\n", out.String())
	info, err := os.Stat(name)
	require.NoError(t, err)
	assert.EqualValues(t, 1000000, info.Size())
}

func TestDownload_draws_a_bar_that_ends_full(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	var out, bars bytes.Buffer
	url := s.URL + "/bytes/1048576?rate=4000000"
	require.NoError(t, run(t.Context(), []string{url, filepath.Join(t.TempDir(), "file")}, &out, &bars))
	assert.Contains(t, bars.String(), "1.0 MiB / 1.0 MiB")
}

func TestDownload_leaves_no_part_of_a_file(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	url := s.URL + "/bytes/1000000?rate=100000"
	assert.ErrorIs(t, run(ctx, []string{url, filepath.Join(dir, "file")}, &bytes.Buffer{}, nil), context.DeadlineExceeded)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

func TestDownload_does_not_save_an_error_page(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	name := filepath.Join(t.TempDir(), "file")
	assert.ErrorContains(t, run(t.Context(), []string{s.URL + "/status/404", name}, &bytes.Buffer{}, nil), "404 Not Found")
	assert.NoFileExists(t, name)
}
