package credentials

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// awsVerifier checks signatures as a server of AWS does, by the specification alone:
// "Signature Version 4 signing process", tasks 1 to 4.
type awsVerifier struct {
	secret string
	s3     bool
}

func (v awsVerifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := v.verify(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, "signed: "+r.Header.Get("Authorization"))
}

func (v awsVerifier) verify(r *http.Request) error {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return fmt.Errorf("not signed: %q", r.Header.Get("Authorization"))
	}
	part := map[string]string{}
	for _, p := range strings.Split(rest, ", ") {
		name, value, _ := strings.Cut(p, "=")
		part[name] = value
	}
	credential := strings.Split(part["Credential"], "/")
	if len(credential) != 5 || credential[4] != "aws4_request" {
		return fmt.Errorf("bad scope %q", part["Credential"])
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || date[:8] != credential[1] {
		return fmt.Errorf("bad date %q for %q", date, credential[1])
	}
	if age := time.Since(at); age < -5*time.Minute || age > 15*time.Minute {
		return fmt.Errorf("signed at %v", at)
	}
	// Every field that has to be signed is.
	signed := strings.Split(part["SignedHeaders"], ";")
	if !sort.StringsAreSorted(signed) || !contains(signed, "host") {
		return fmt.Errorf("bad list %v", signed)
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if (strings.HasPrefix(name, "x-amz-") || name == "content-type") && !contains(signed, name) {
			return fmt.Errorf("%s is not signed", name)
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case payload == "" && v.s3:
		return fmt.Errorf("no payload")
	case payload == "UNSIGNED-PAYLOAD" && v.s3:
	case payload == "":
		payload = sum(body)
	case payload != sum(body):
		return fmt.Errorf("the payload is another")
	}
	// Task 1.
	raw, query, _ := strings.Cut(r.RequestURI, "?")
	canonicalPath := ""
	if v.s3 {
		p, err := url.PathUnescape(raw)
		if err != nil {
			return err
		}
		canonicalPath = awsEncode(p, "/")
	} else {
		clean := path.Clean(raw)
		if strings.HasSuffix(raw, "/") && clean != "/" {
			clean += "/"
		}
		canonicalPath = awsEncode(clean, "/")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	var pairs [][2]string
	for name, vv := range values {
		for _, value := range vv {
			pairs = append(pairs, [2]string{awsEncode(name, ""), awsEncode(value, "")})
		}
	}
	sort.Slice(pairs, func(i, j int) bool {
		if pairs[i][0] != pairs[j][0] {
			return pairs[i][0] < pairs[j][0]
		}
		return pairs[i][1] < pairs[j][1]
	})
	var q []string
	for _, p := range pairs {
		q = append(q, p[0]+"="+p[1])
	}
	canonical := r.Method + "\n" + canonicalPath + "\n" + strings.Join(q, "&") + "\n"
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + strings.Join(strings.Fields(value), " ") + "\n"
	}
	canonical += "\n" + part["SignedHeaders"] + "\n" + payload
	// Tasks 2 to 4.
	toSign := "AWS4-HMAC-SHA256\n" + date + "\n" + strings.Join(credential[1:], "/") + "\n" + sum([]byte(canonical))
	key := mac([]byte("AWS4"+v.secret), credential[1])
	key = mac(mac(mac(key, credential[2]), credential[3]), credential[4])
	if want := hex.EncodeToString(mac(key, toSign)); want != part["Signature"] {
		return fmt.Errorf("another signature is right for\n%s", canonical)
	}
	return nil
}

func contains(list []string, s string) bool {
	i := sort.SearchStrings(list, s)
	return i < len(list) && list[i] == s
}

func sum(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// awsEncode is UriEncode of the specification.
func awsEncode(s, keep string) string {
	return strings.NewReplacer("+", "%20", "%7E", "~", "%2F", map[bool]string{true: "/", false: "%2F"}[keep == "/"]).Replace(url.QueryEscape(s))
}

func TestAWSSigV4Auth_makes_signatures_that_verify(t *testing.T) {
	key := config.AWSSigV4{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalr/+X", Region: "eu-central-1", Service: "execute-api"}
	s3 := key
	s3.Service = "s3"
	temporary := key
	temporary.SessionToken = "FwoG/+=="
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		if mode.HTTP2() && !cgo.Features().HTTP2 {
			t.Skip("libcurl without HTTP/2")
		}
		send := func(t *testing.T, c config.AWSSigV4, method, target string, body io.Reader, header ...string) *ratmom.Response {
			t.Helper()
			s := testserver.Start(t, mode, awsVerifier{secret: c.SecretAccessKey, s3: c.Service == "s3"})
			opts := []config.ClientOption{config.AWSSigV4Auth(c)}
			if mode.TLS() {
				opts = append(opts, config.CAFile(s.CAFile))
			}
			if mode == testserver.H2C {
				opts = append(opts, config.HTTPVersion(config.HTTP2PriorKnowledge))
			}
			client := newClient(t, opts...)
			req, err := http.NewRequestWithContext(t.Context(), method, s.URL+target, body)
			require.NoError(t, err)
			for i := 0; i < len(header); i += 2 {
				if header[i] == "Host" {
					req.Host = header[i+1]
				} else {
					req.Header.Add(header[i], header[i+1])
				}
			}
			var last *ratmom.Response
			for range 2 { // the second over a handle that was used
				if req.GetBody != nil {
					req.Body, err = req.GetBody()
					require.NoError(t, err)
				}
				last, err = client.Send(req)
				require.NoError(t, err)
				text, err := last.Text()
				require.NoError(t, err)
				require.Equal(t, 200, last.StatusCode, "%s %s: %s", method, target, text)
				if body != nil && req.GetBody == nil {
					break
				}
			}
			return last
		}
		for _, target := range []string{
			"", "/", "/a/b", "/a%20b/%C3%A4", "/a/../b//c/./", "/?b=2&a=1", "/?a=2&a=1&a=", "/x?q=a%20b+c&lifecycle", "/~x*y,z:'(1)'", "/?q=%2f%7e*'()!",
			"/a=b;c@d$e", "/a%2Fb",
		} {
			send(t, key, "GET", target, nil)
			send(t, s3, "GET", target, nil)
		}
		for _, method := range []string{"HEAD", "POST", "DELETE", "PUT", "PATCH"} {
			send(t, key, method, "/m", nil)
			send(t, s3, method, "/m", nil)
		}
		big := strings.Repeat("x", 200_000)
		send(t, key, "POST", "/", strings.NewReader("a body"), "Content-Type", "text/plain; charset=utf-8")
		send(t, key, "POST", "/", strings.NewReader("no type"))
		send(t, key, "PUT", "/", strings.NewReader(big))
		send(t, s3, "PUT", "/big", strings.NewReader(big), "x-amz-meta-note", " a   b ", "X-Amz-Meta-Note", "c")
		send(t, s3, "PUT", "/stream", io.MultiReader(strings.NewReader(big)))
		send(t, key, "POST", "/", io.MultiReader(strings.NewReader(big)), "X-Amz-Content-Sha256", sum([]byte(big)))
		send(t, temporary, "GET", "/", nil)
		send(t, key, "GET", "/", nil, "X-Amz-Date", time.Now().UTC().Add(-time.Minute).Format("20060102T150405Z"))
		send(t, key, "GET", "/", nil, "Host", "api.example.org:8443")
	})
}

func TestAWSSigV4Auth_signs_anew_after_a_redirect_and_default_headers_too(t *testing.T) {
	key := config.AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"}
	verify := awsVerifier{secret: "b"}
	s := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			if err := verify.verify(r); err != nil {
				http.Error(w, err.Error(), http.StatusForbidden)
				return
			}
			http.Redirect(w, r, "/next?b=1&a=2", http.StatusTemporaryRedirect)
			return
		}
		verify.ServeHTTP(w, r)
	})
	client := newClient(t, config.AWSSigV4Auth(key), config.DefaultHeader("X-Amz-Target", "list"))
	resp, err := client.Post(s.URL, "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode, text)
	assert.Contains(t, text, "content-type;host;x-amz-date;x-amz-target")
}

func TestAWSSigV4Auth_signs_a_body_whose_progress_is_told(t *testing.T) {
	key := config.AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"}
	s := testserver.StartFunc(t, testserver.H1, awsVerifier{secret: key.SecretAccessKey}.ServeHTTP)
	var told int64
	client := newClient(t, config.AWSSigV4Auth(key), config.UploadProgress(func(n, _ int64) { told = n }))
	resp, err := client.Post(s.URL, "text/plain", strings.NewReader("hello"))
	require.NoError(t, err)
	text, err := resp.Text()
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode, text)
	assert.EqualValues(t, 5, told)
}

func TestAWSSigV4Auth_refuses_what_it_cannot_sign(t *testing.T) {
	s := newRecorder(t)
	client := newClient(t, config.AWSSigV4Auth(config.AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"}))
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, io.MultiReader(strings.NewReader("stream")))
	require.NoError(t, err)
	_, err = client.Send(req)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	assert.ErrorContains(t, err, "X-Amz-Content-Sha256")
	req, err = http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	require.NoError(t, err)
	req.Header.Set("X-Amz-Date", "yesterday")
	_, err = client.Send(req)
	require.ErrorIs(t, err, ratmom.ErrInvalidRequest)
	assert.ErrorContains(t, err, "yesterday")
	assert.Empty(t, s.all())
	// The request's own signature is left alone.
	req, err = http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "mine")
	resp, err := client.Send(req)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	assert.Equal(t, []string{"mine"}, s.all()[0]["Authorization"])
	assert.Empty(t, s.all()[0]["X-Amz-Date"])
}

// Of one that signs other bytes, none verifies: the check can fail.
func TestAWSVerifier_refuses_another_secret(t *testing.T) {
	s := testserver.Start(t, testserver.H1, awsVerifier{secret: "other"})
	client := newClient(t, config.AWSSigV4Auth(config.AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"}))
	assert.Equal(t, 403, get(t, client, s.URL))
}
