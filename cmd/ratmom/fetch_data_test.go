package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestData_is_a_form_unless_told_otherwise(t *testing.T) {
	r := fetchRun(t, "--demo", "/echo", "--data", "a=1", "--data", "b=2")
	assert.Contains(t, r.out, `"method":"POST"`)
	assert.Contains(t, r.out, `"body":"a=1\u0026b=2"`)
	assert.Contains(t, r.out, `"Content-Type":["application/x-www-form-urlencoded"]`)

	r = fetchRun(t, "--demo", "/echo", "--data", "{}", "-X", "PUT", "-H", "content-type: application/json")
	assert.Contains(t, r.out, `"method":"PUT"`)
	assert.Contains(t, r.out, `"Content-Type":["application/json"]`)
}

func TestData_comes_from_a_file_as_it_is(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, bytes.Repeat([]byte("line\n"), 60_000), 0o600))
	r := fetchRun(t, "--demo", "/upload", "/upload", "--data", "@"+name)
	const want = "300000 bytes, sha256 "
	assert.Regexp(t, "^"+want+"(.*)\n"+want+".*\n$", r.out, "the same to each URL")

	require.NoError(t, os.WriteFile(name, nil, 0o600))
	assert.Contains(t, fetchRun(t, "--demo", "/echo", "--data", "@"+name).out, `"Content-Length":["0"]`)
}

func TestData_comes_from_standard_input(t *testing.T) {
	one := fetchIn(t, "hello", "--demo", "/echo", "--data", "@-")
	assert.Contains(t, one.out, `"body":"hello"`)
	assert.NotContains(t, one.out, `"Content-Length"`, "to one URL as it comes")

	two := fetchIn(t, "hello", "--demo", "/echo", "/echo", "--data", "@-", "--data", "world")
	assert.Regexp(t, `^.*"body":"hello\\u0026world".*\n.*"body":"hello\\u0026world".*\n$`, two.out)
}
