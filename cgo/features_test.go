package cgo

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFeatures(t *testing.T) {
	f := Features()
	assert.Same(t, f, Features(), "asked once")
	assert.True(t, f.AtLeast(7, 88, 0), "the oldest version supported")
	assert.False(t, f.AtLeast(99, 0, 0))
	assert.Regexp(t, `^\d+\.\d+\.\d+`, f.VersionString)
	assert.True(t, f.TLS)
	assert.Regexp(t, `^\w+/`, f.SSLBackend)
	assert.True(t, f.Unix)
}

func TestBackend_is_compared_without_version_and_case(t *testing.T) {
	f := FeatureSet{SSLBackend: "OpenSSL/3.0.17"}
	assert.True(t, f.Backend("GnuTLS", "openssl"))
	assert.False(t, f.Backend("GnuTLS"))
}

func TestActiveBackend_skips_those_in_parentheses(t *testing.T) {
	assert.Equal(t, "OpenSSL/3.0.17", activeBackend("OpenSSL/3.0.17"))
	assert.Equal(t, "OpenSSL/3.0.17", activeBackend("(GnuTLS/3.7.9) OpenSSL/3.0.17"))
	assert.Equal(t, "Schannel", activeBackend("(Schannel)"))
}
