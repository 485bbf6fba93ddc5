package failure

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// want lists every CURLcode with a meaning for HTTP.
var want = map[int]Kind{
	1: Unsupported, 2: Internal, 3: InvalidRequest, 4: Unsupported,
	5: NameResolution, 6: NameResolution, 7: Connect, 8: Protocol,
	12: Timeout, 16: HTTP2, 18: Truncated, 22: Protocol, 23: Receive, 25: Send,
	26: RequestBody, 27: OutOfMemory, 28: Timeout, 33: Protocol, 34: Internal,
	35: TLS, 37: Local, 41: Unsupported, 42: Canceled, 43: InvalidOption,
	45: Local, 47: TooManyRedirects, 48: Unsupported, 49: InvalidOption,
	52: ConnectionClosed, 53: TLS, 54: TLS, 55: Send, 56: Receive,
	58: ClientCertificate, 59: TLS, 60: CertificateVerification,
	61: ContentEncoding, 63: BodyTooLarge, 64: TLS, 65: BodyNotRewindable,
	66: TLS, 67: Auth, 77: Local, 80: TLS, 81: Internal, 82: Local,
	83: CertificateVerification, 89: Connect, 90: CertificateVerification,
	91: CertificateVerification, 92: HTTP2, 93: Internal, 94: Auth, 95: HTTP3,
	96: Connect, 97: Proxy, 98: ClientCertificate, 99: Internal,
	100: HeadTooLarge, 101: TLS,
}

func TestFromCode_maps_the_whole_table_and_keeps_unknown_numbers(t *testing.T) {
	for code := -1; code <= 130; code++ {
		k := FromCode(code)
		assert.Equal(t, want[code], k, "code %d", code)

		err := FromCurl(code, "words of libcurl")
		assert.Equal(t, code, err.Code)
		assert.ErrorIs(t, err, k)
		assert.Contains(t, err.Error(), "words of libcurl")
		if k == Unknown && code != 0 {
			assert.Contains(t, err.Error(), strconv.Itoa(code))
		}
		if code > 0 {
			assert.Contains(t, fmt.Sprintf("%+v", err), CodeName(code))
		}
	}
}

func TestFromCode_knows_every_name_in_the_installed_header(t *testing.T) {
	path, err := exec.Command("sh", "-c", `echo '#include <curl/curl.h>' | cc -E -H - 2>&1 >/dev/null | sed -n 's/^\. //p'`).Output()
	if err != nil || len(path) == 0 {
		t.Skip("no curl/curl.h here")
	}
	src, err := os.ReadFile(strings.TrimSpace(strings.SplitN(string(path), "\n", 2)[0]))
	require.NoError(t, err)

	_, enum, _ := strings.Cut(string(src), "CURLE_OK = 0")
	enum, _, _ = strings.Cut(enum, "CURL_LAST")
	got := []string{"OK"}
	for _, n := range regexp.MustCompile(`(?m)^  CURLE_(\w+)`).FindAllStringSubmatch(enum, -1) {
		got = append(got, n[1])
	}
	require.Greater(t, len(got), 99)
	for code, name := range got {
		if strings.HasPrefix(name, "OBSOLETE") {
			assert.Empty(t, CodeName(code), "code %d", code)
			continue
		}
		assert.Equal(t, "CURLE_"+name, CodeName(code), "code %d", code)
	}
}

func TestClassify_tells_apart_what_one_code_stands_for(t *testing.T) {
	for _, c := range []struct {
		code int
		text string
		kind Kind
	}{
		{1, `Protocol "ftp" not supported or disabled in libcurl`, Unsupported},
		{1, "Received HTTP/0.9 when not allowed", Protocol},
		{1, "Unsupported HTTP version in response", Protocol},
		{1, "Unsupported HTTP version (9.9) in response", Protocol},
		{1, "Unsupported HTTP/1 subversion in response", Protocol},
		{1, "Lying server, not serving HTTP/2", HTTP2},
		{7, "Failed to connect to localhost port 1 after 0 ms: Couldn't connect to server", Connect},
		{7, "CONNECT tunnel failed, response 407", Proxy},
		{56, "CONNECT tunnel failed, response 403", Proxy},
		{56, "Proxy CONNECT aborted", Proxy},
		{56, "Recv failure: Connection reset by peer", Receive},
		{56, "Too large response headers: 307210 > 307200", HeadTooLarge},
		{56, "Illegal or missing hexadecimal sequence in chunked-encoding", Protocol},
		{56, "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0", ClientCertificate},
		{55, "OpenSSL SSL_read: OpenSSL/3.0.22: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0", ClientCertificate},
		{55, "Send failure: Broken pipe", Send},
		{100, "Too many response headers, 5000 is max", HeadTooLarge},
	} {
		assert.Equal(t, c.kind, Classify(c.code, c.text), "%d %s", c.code, c.text)
	}
}

func TestKind_has_a_text_of_its_own(t *testing.T) {
	seen := map[string]Kind{}
	for k := Unknown; k < kinds; k++ {
		text := k.Error()
		require.NotEmpty(t, text, "kind %d", k)
		other, dup := seen[text]
		assert.False(t, dup, "kinds %d and %d", k, other)
		seen[text] = k
		for other := Unknown; other < kinds; other++ {
			assert.Equal(t, k == other, errors.Is(New(k, ""), other))
		}
	}
	assert.Equal(t, "unknown error", Kind(255).Error())
}
