package ratmom_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

func getForSaving(t *testing.T, path string) *ratmom.Response {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/short" {
			w.Header().Set("Content-Length", "10")
		}
		_, _ = w.Write([]byte("hello"))
	}))
	t.Cleanup(s.Close)
	c, err := ratmom.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	resp, err := c.Get(s.URL + path)
	require.NoError(t, err)
	return resp
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestSaveFile_replaces_a_file_as_a_whole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte("something longer"), 0o600))
	n, err := getForSaving(t, "/").SaveFile(name)
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
	assert.Equal(t, []string{"file"}, names(t, filepath.Dir(name)))
}

func TestSaveFile_leaves_nothing_of_a_body_that_was_cut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte("before"), 0o600))
	_, err := getForSaving(t, "/short").SaveFile(name)
	require.ErrorIs(t, err, ratmom.ErrTruncated)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "before", string(b))
	assert.Equal(t, []string{"file"}, names(t, filepath.Dir(name)))
}

func TestSaveFile_writes_through_a_link(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	require.NoError(t, os.Symlink("file", filepath.Join(dir, "link")))
	_, err := getForSaving(t, "/").SaveFile(filepath.Join(dir, "link"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(dir, "file"))
	require.NoError(t, err)
	assert.Equal(t, "hello", string(b))
	_, err = os.Readlink(filepath.Join(dir, "link"))
	assert.NoError(t, err)
}

// A superuser's rename would put a plain file in the place of the device.
func TestSaveFile_writes_into_what_is_no_regular_file(t *testing.T) {
	n, err := getForSaving(t, "/").SaveFile(os.DevNull)
	require.NoError(t, err)
	assert.EqualValues(t, 5, n)
	info, err := os.Stat(os.DevNull)
	require.NoError(t, err)
	assert.False(t, info.Mode().IsRegular())
}

func TestSaveFile_refuses_a_folder(t *testing.T) {
	dir := t.TempDir()
	_, err := getForSaving(t, "/").SaveFile(dir)
	require.Error(t, err)
	assert.Empty(t, names(t, dir))
}

func TestSaveFile_names_the_file_in_its_errors(t *testing.T) {
	name := filepath.Join(t.TempDir(), "missing", "file")
	_, err := getForSaving(t, "/").SaveFile(name)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, name)
}
