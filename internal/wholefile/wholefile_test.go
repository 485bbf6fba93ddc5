package wholefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWrite_replaces_and_leaves_nothing_beside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, Write(path, text("one")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, Write(path, text("two")))
	b, err := Read(path, 3)
	require.NoError(t, err)
	assert.Equal(t, "two", string(b))
	info, err = os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm())
	assert.Equal(t, []string{"a"}, names(t, dir))
}

func TestWrite_that_fails_leaves_the_old_content(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, Write(path, text("one")))
	broken := errors.New("broken")
	err := Write(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	assert.ErrorIs(t, err, broken)
	b, err := Read(path, 100)
	require.NoError(t, err)
	assert.Equal(t, "one", string(b))
	assert.Equal(t, []string{"a"}, names(t, dir))
	assert.Error(t, Write(filepath.Join(dir, "none", "a"), text("x")))
}

func TestWrite_through_a_link_keeps_it(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	require.NoError(t, Write(path, text("one")))
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, Write(link, text("two")))
	b, err := Read(path, 100)
	require.NoError(t, err)
	assert.Equal(t, "two", string(b))
}

func TestRead_takes_regular_files_up_to_the_limit(t *testing.T) {
	dir := t.TempDir()
	b, err := Read(filepath.Join(dir, "none"), 1)
	assert.NoError(t, err)
	assert.Nil(t, b)
	_, err = Read(dir, 1)
	assert.ErrorContains(t, err, "not a regular file")
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	_, err = Read(fifo, 1)
	assert.ErrorContains(t, err, "not a regular file")
	path := filepath.Join(dir, "a")
	require.NoError(t, Write(path, text("four")))
	_, err = Read(path, 3)
	assert.ErrorContains(t, err, "longer than 3 bytes")
}
