package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
)

func TestVersion_names_libcurl_and_its_features(t *testing.T) {
	for _, name := range []string{"version", "-V", "--version"} {
		r := ratmomRun(t, name)
		assert.Equal(t, exitOK, r.code)
		assert.Contains(t, r.out, "ratmom  "+ratmom.Version+"\n")
		assert.Contains(t, r.out, "libcurl "+cgo.Features().VersionString+", ")
		assert.Regexp(t, `\n  HTTP/3 +(yes|no)\n`, r.out)
	}
	assert.Equal(t, exitOK, ratmomRun(t, "version", "--help").code)
	assert.Equal(t, exitUsage, ratmomRun(t, "version", "x").code)
}
