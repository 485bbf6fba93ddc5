package config

import (
	"strconv"

	"github.com/ratmom/ratmom/cgo"
)

// Version is the version of HTTP to speak with the server.
type Version uint8

// The versions of HTTP.
const (
	// HTTPDefault is HTTP/2 over TLS if the server speaks it, and else HTTP/1.1:
	// what HTTP2 says, or HTTP/1.1 alone with a libcurl without HTTP/2.
	HTTPDefault Version = iota
	// HTTP10 is HTTP/1.0.
	HTTP10
	// HTTP11 is HTTP/1.1.
	HTTP11
	// HTTP2 is HTTP/2 over TLS if the server agrees to it, and else HTTP/1.1;
	// HTTP/1.1 for http URLs.
	HTTP2
	// HTTP2PriorKnowledge is HTTP/2 from the first byte, for http URLs too,
	// without asking the server.
	HTTP2PriorKnowledge
	// HTTP3 is HTTP/3 for https URLs, with a fall-back to earlier versions.
	HTTP3
	// HTTP3Only is HTTP/3 and nothing else.
	HTTP3Only
)

var versionNames = [...]string{
	HTTPDefault:         "default",
	HTTP10:              "HTTP/1.0",
	HTTP11:              "HTTP/1.1",
	HTTP2:               "HTTP/2",
	HTTP2PriorKnowledge: "HTTP/2 with prior knowledge",
	HTTP3:               "HTTP/3",
	HTTP3Only:           "HTTP/3 only",
}

// String returns the version as "HTTP/1.1".
func (v Version) String() string {
	if int(v) < len(versionNames) {
		return versionNames[v]
	}
	return "Version(" + strconv.Itoa(int(v)) + ")"
}

var versionNumbers = [...]int64{
	HTTPDefault:         cgo.HTTPVersionNone,
	HTTP10:              cgo.HTTPVersion10,
	HTTP11:              cgo.HTTPVersion11,
	HTTP2:               cgo.HTTPVersion2TLS,
	HTTP2PriorKnowledge: cgo.HTTPVersion2PriorKnowledge,
	HTTP3:               cgo.HTTPVersion3,
	HTTP3Only:           cgo.HTTPVersion3Only,
}

// HTTPVersion chooses the version of HTTP.
//
// Default: HTTPDefault. A version that this libcurl was built without is an
// error that says so: HTTP2 and HTTP2PriorKnowledge need its HTTP/2, HTTP3 and
// HTTP3Only its HTTP/3. CURLOPT_HTTP_VERSION.
//
// Before version 8.0.0 libcurl could not use a connection again that spoke HTTP/2
// with prior knowledge in clear text; there each such request gets its own.
func HTTPVersion(v Version) Option { return both(httpVersion{v}) }

// HTTPVersion returns the value of the option of that name.
func (r *RequestConfig) HTTPVersion() Version {
	s, _ := lookup[httpVersion](r)
	return s.Version
}

type httpVersion struct{ Version }

func (s httpVersion) validate() error {
	if int(s.Version) >= len(versionNames) {
		return invalid("HTTPVersion", s.Version, "is not one of the versions")
	}
	return nil
}

func (s httpVersion) supported(f *cgo.FeatureSet) error {
	switch s.Version {
	case HTTP2, HTTP2PriorKnowledge:
		if !f.HTTP2 {
			return unsupported(f, "HTTPVersion", s.Version, "to be built with HTTP/2 (nghttp2)")
		}
	case HTTP3, HTTP3Only:
		if !f.HTTP3 {
			return unsupported(f, "HTTPVersion", s.Version, "to be built with HTTP/3 (ngtcp2)")
		}
	}
	return nil
}

func (s httpVersion) encode(o *cgo.Options) {
	if s.Version != HTTPDefault {
		o.Long(cgo.OptHTTPVersion, versionNumbers[s.Version])
	}
}

func (s httpVersion) encodeTarget(o *cgo.Options, _ *RequestConfig, t target) {
	// https://github.com/curl/curl/pull/10643: every request on a reused
	// connection failed.
	if s.Version == HTTP2PriorKnowledge && t.url.Scheme == "http" && !cgo.Features().AtLeast(8, 0, 0) {
		o.Long(cgo.OptFreshConnect, 1)
		o.Long(cgo.OptForbidReuse, 1)
	}
}
