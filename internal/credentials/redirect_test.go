package credentials

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func netrcFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netrc")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Kerberos is tested where there is a KDC: see TestChild_with_a_ticket.
func TestCredentials_stay_with_their_origin(t *testing.T) {
	const user, password = testserver.User, testserver.Password
	key := config.AWSSigV4{AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: "token", Region: "r", Service: "s"}
	both := netrcFile(t, "default login a password b\n")
	pass := func(next http.Handler) http.Handler { return next }
	for _, c := range []struct {
		name   string
		option config.Option
		guard  func(http.Handler) http.Handler
		shown  string // the scheme that the first server sees
	}{
		{"Basic", config.BasicAuth(user, password), testserver.Basic, "Basic "},
		{"Digest", config.DigestAuth(user, password), testserver.Digest{}.Handler, "Digest "},
		{"NTLM", config.NTLMAuth(user, password), func(next http.Handler) http.Handler { return testserver.NTLM(next) }, "NTLM "},
		{"any of Basic", config.AnyAuth(user, password), testserver.Basic, "Basic "},
		{"any of Digest", config.AnyAuth(user, password), testserver.Digest{}.Handler, "Digest "},
		{"any safe", config.AnySafeAuth(user, password), testserver.Digest{}.Handler, "Digest "},
		{"Bearer", config.BearerAuth("a.b-c"), pass, "Bearer a.b-c"},
		{"AWS", config.AWSSigV4Auth(key), pass, "AWS4-HMAC-SHA256 "},
		{"netrc", config.Netrc(both), pass, "Basic YTpi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "NTLM" && !cgo.Features().NTLM {
				testserver.Lacks(t, "libcurl without NTLM")
			}
			for _, path := range []string{"/", "/ask"} {
				other := newRecorder(t)
				inner := c.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case "/same": // another hop within the origin keeps them
						assert.True(t, strings.HasPrefix(r.Header.Get("Authorization"), c.shown) || c.name == "NTLM", r.Header)
						http.Redirect(w, r, other.URL+path, http.StatusFound)
					default:
						http.Redirect(w, r, "/same", http.StatusFound)
					}
				}))
				first := testserver.Start(t, testserver.H1, inner)
				client := newClient(t, c.option)
				want := map[string]int{"/": 200, "/ask": 401}[path]
				assert.Equal(t, want, get(t, client, first.URL), "of the client")
				other.sawNothing(t)
				assert.Equal(t, want, get(t, newClient(t), first.URL, c.option), "of the request")
				other.sawNothing(t)
				assert.Equal(t, want, throughHTTPClient(t, client, first.URL), "by net/http")
				other.sawNothing(t)
				assert.Equal(t, want, throughHTTPClient(t, newClient(t), first.URL, c.option), "by net/http, of the transport")
				other.sawNothing(t)
			}
		})
	}
}

// There and back again: what was forgotten stays forgotten.
func TestCredentials_do_not_come_back_with_a_redirect_to_their_origin(t *testing.T) {
	for name, send := range map[string]func(*testing.T, string) int{
		"Send": func(t *testing.T, url string) int { return get(t, newClient(t, config.BearerAuth("t")), url) },
		"net/http": func(t *testing.T, url string) int {
			return throughHTTPClient(t, newClient(t, config.BearerAuth("t")), url)
		},
	} {
		t.Run(name, func(t *testing.T) {
			last := make(chan string, 2)
			home := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
				last <- r.Header.Get("Authorization")
				if r.URL.Path == "/" {
					http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
				}
			})
			away := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, r *http.Request) {
				assert.Empty(t, r.Header.Get("Authorization"))
				http.Redirect(w, r, home.URL+"/back", http.StatusFound)
			})
			assert.Equal(t, 200, send(t, home.URL+"/?to="+url.QueryEscape(away.URL)))
			assert.Equal(t, "Bearer t", <-last)
			assert.Empty(t, <-last)
		})
	}
}

func TestAnySafeAuth_never_shows_the_password(t *testing.T) {
	s := testserver.Start(t, testserver.H1, testserver.Basic(http.NotFoundHandler()))
	client := newClient(t)
	assert.Equal(t, 404, get(t, client, s.URL, config.AnyAuth(testserver.User, testserver.Password)))
	assert.Equal(t, 401, get(t, client, s.URL, config.AnySafeAuth(testserver.User, testserver.Password)))

	p := testserver.StartProxy(t, testserver.Proxy{Auth: testserver.BasicAuth})
	assert.Equal(t, 404, get(t, client, s.URL, config.Proxy(p.URL), config.ProxyAnyAuth(testserver.User, testserver.Password),
		config.BasicAuth(testserver.User, testserver.Password)))
	assert.Equal(t, 407, get(t, client, s.URL, config.Proxy(p.URL), config.ProxyAnySafeAuth(testserver.User, testserver.Password)))
	for _, auth := range []testserver.Auth{testserver.DigestAuth, testserver.NTLMAuth} {
		if auth == testserver.NTLMAuth && !cgo.Features().NTLM {
			continue
		}
		squid := testserver.Squid(t, auth)
		assert.Equal(t, 401, get(t, client, s.URL, config.Proxy(squid.URL), config.ProxyAnySafeAuth(testserver.User, testserver.Password)), auth)
	}
}

func TestNetrc_opens_Apache_by_Basic_and_Digest(t *testing.T) {
	apache := testserver.Apache(t)
	path := netrcFile(t, `machine 127.0.0.1 login `+testserver.User+` password "`+testserver.Password+`"`+"\nmachine localhost login x password y\n")
	client := newClient(t, config.Netrc(path))
	assert.Equal(t, 200, get(t, client, apache.URL+"/basic/hello.txt"))
	assert.Equal(t, 401, get(t, client, apache.URL+"/basic/hello.txt", config.NoAuth()))
	assert.Equal(t, 401, get(t, client, apache.URL+"/digest/hello.txt"))
	assert.Equal(t, 200, get(t, client, apache.URL+"/digest/hello.txt", config.DigestAuth("", "")))
	assert.Equal(t, 200, get(t, client, apache.URL+"/digest/hello.txt", config.AnyAuth("", "")))
	assert.Equal(t, 401, get(t, client, strings.Replace(apache.URL, "127.0.0.1", "localhost", 1)+"/basic/hello.txt"))
	assert.Equal(t, 200, get(t, client, strings.Replace(apache.URL, "127.0.0.1", "localhost", 1)+"/basic/hello.txt",
		config.BasicAuth(testserver.User, testserver.Password)))
	// The same client's plain requests are not those of another host.
	for range 3 {
		assert.Equal(t, 200, get(t, client, apache.URL+"/basic/hello.txt"))
		assert.Equal(t, 401, get(t, client, strings.Replace(apache.URL, "127.0.0.1", "localhost", 1)+"/basic/hello.txt"))
	}
}

func TestBearerAuth_gives_way_to_the_requests_own_header(t *testing.T) {
	s := newRecorder(t)
	client := newClient(t, config.BearerAuth("t"))
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Other x")
	resp, err := client.Send(req)
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	get(t, client, s.URL)
	assert.Equal(t, []string{"Other x"}, s.all()[0]["Authorization"])
	assert.Equal(t, []string{"Bearer t"}, s.all()[1]["Authorization"])
}
