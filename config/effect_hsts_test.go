package config_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// strict is a server that says the given field; /away leads to the http URL.
func strict(t *testing.T, mode testserver.Mode, field string) (s *testserver.Server, secure, plain string) {
	t.Helper()
	s = testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
		if field != "" {
			w.Header().Set("Strict-Transport-Security", field)
		}
		if to := r.URL.Query().Get("to"); to != "" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		cookies := make([]string, 0, 1)
		for _, c := range r.Cookies() {
			cookies = append(cookies, c.Name)
		}
		_, _ = io.WriteString(w, r.Host+" "+strings.Join(cookies, ","))
	})
	host := strings.Replace(s.Addr, "127.0.0.1", "localhost", 1)
	return s, "https://" + host, "http://" + host
}

// scheme is how a request went in the end. In clear text a server of TLS does not
// answer, or by an error, unless libcurl uses a connection of the https URL.
func scheme(c *ratmom.Client, url string) string {
	resp, err := c.Get(url)
	if err != nil {
		return "http"
	}
	_ = resp.Discard()
	return resp.EffectiveURL.Scheme
}

func TestHSTS_goes_over_TLS_once_a_host_has_said_so(t *testing.T) {
	for _, mode := range []testserver.Mode{testserver.HTTPS1, testserver.H2} {
		s, secure, plain := strict(t, mode, "max-age=1000")
		c := newClient(t, config.CAFile(s.CAFile), config.HSTS(""))
		assert.Equal(t, "http", scheme(c, plain))
		get(t, c, secure)
		resp, err := c.Get(plain + "/a?b")
		require.NoError(t, err)
		assert.Equal(t, secure+"/a?b", resp.EffectiveURL.String())
		assert.Equal(t, secure+"/a?b", resp.Request.URL.String())
		text, err := resp.Text()
		require.NoError(t, err)
		assert.Equal(t, strings.TrimPrefix(secure, "https://")+" ", text)

		resp, err = c.SendAsync(mustRequest(t, plain)).Result()
		require.NoError(t, err)
		assert.Equal(t, "https", resp.EffectiveURL.Scheme)
		require.NoError(t, resp.Discard())

		hc := &http.Client{Transport: c.Transport()}
		over, err := hc.Get(plain)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, over.StatusCode)
		assert.NoError(t, over.Body.Close())

		other := newClient(t, config.CAFile(s.CAFile))
		get(t, other, secure)
		assert.Equal(t, "http", scheme(other, plain), "off by default")
	}
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	return req
}

func TestHSTS_holds_for_redirects_and_what_interceptors_make(t *testing.T) {
	s, secure, plain := strict(t, testserver.H2, "max-age=1000")
	c := newClient(t, config.CAFile(s.CAFile), config.HSTS(""))
	get(t, c, secure)
	resp, err := c.Get(secure + "/?to=" + plain + "/there")
	require.NoError(t, err)
	assert.Equal(t, secure+"/there", resp.EffectiveURL.String())
	require.NoError(t, resp.Discard())

	back := ratmom.Step{Request: func(req *http.Request) (*http.Request, error) {
		r := req.Clone(req.Context())
		r.URL.Scheme = "http"
		return r, nil
	}}
	file := filepath.Join(t.TempDir(), "hsts")
	require.NoError(t, os.WriteFile(file, []byte("localhost \"unlimited\"\n"), 0o600))
	c = newClient(t, config.CAFile(s.CAFile), config.HSTS(file), ratmom.Intercept(back))
	resp, err = c.Get(secure + "/mine")
	require.NoError(t, err)
	assert.Equal(t, secure+"/mine", resp.EffectiveURL.String())
	require.NoError(t, resp.Discard())
}

func TestHSTS_is_not_learned_from_whom_nobody_vouches_for(t *testing.T) {
	s, secure, plain := strict(t, testserver.HTTPS1, "max-age=1000")
	c := newClient(t, config.CAFile(s.CAFile), config.HSTS(""))
	get(t, c, secure, config.DangerAcceptInvalidCertificates(true), config.FreshConnection())
	assert.Equal(t, "http", scheme(c, plain), "certificates are not looked at")
	get(t, c, secure, config.DangerAcceptInvalidHostnames(true), config.FreshConnection())
	assert.Equal(t, "http", scheme(c, plain), "names are not looked at")
	get(t, c, "https://"+s.Addr, config.FreshConnection())
	assert.Equal(t, "http", scheme(c, "http://"+s.Addr), "an address")
	clear := testserver.StartFunc(t, testserver.H1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=1000")
	})
	u := strings.Replace(clear.URL, "127.0.0.1", "localhost", 1)
	get(t, c, u)
	assert.Equal(t, "http", scheme(c, u), "said in clear text")
}

func TestHSTS_is_kept_in_its_file(t *testing.T) {
	s, secure, plain := strict(t, testserver.HTTPS1, "max-age=1000; includeSubDomains")
	file := filepath.Join(t.TempDir(), "hsts")
	c, err := ratmom.New(config.CAFile(s.CAFile), config.HSTS(file))
	require.NoError(t, err)
	get(t, c, secure)
	assert.NoFileExists(t, file)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^\.localhost "\d{8} \d\d:\d\d:\d\d"$`, string(b))

	forget, gone, _ := strict(t, testserver.HTTPS1, "max-age=0")
	c, err = ratmom.New(config.CAFile(s.CAFile), config.HSTS(file))
	require.NoError(t, err)
	get(t, c, plain)
	get(t, c, gone, config.CAFile(forget.CAFile))
	require.NoError(t, os.Mkdir(file+".d", 0o700))
	require.NoError(t, c.Close())
	b, err = os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(b), "localhost", "max-age=0 forgets")
}

func TestHSTS_file_that_cannot_be_used_is_an_error(t *testing.T) {
	_, err := ratmom.New(config.HSTS(t.TempDir()))
	require.ErrorIs(t, err, ratmom.ErrInvalidOption)
	s, secure, _ := strict(t, testserver.HTTPS1, "max-age=1000")
	dir := filepath.Join(t.TempDir(), "gone")
	require.NoError(t, os.Mkdir(dir, 0o700))
	c, err := ratmom.New(config.CAFile(s.CAFile), config.HSTS(filepath.Join(dir, "hsts")))
	require.NoError(t, err)
	get(t, c, secure)
	require.NoError(t, os.Remove(dir))
	require.ErrorIs(t, c.Close(), ratmom.ErrLocal)
}

func TestHSTS_of_several_agents_and_many_requests(t *testing.T) {
	s, secure, plain := strict(t, testserver.H2, "max-age=1000")
	c := newClient(t, config.CAFile(s.CAFile), config.HSTS(""), config.Agents(3))
	get(t, c, secure)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				resp, err := c.Get(plain)
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusOK, resp.StatusCode)
					assert.NoError(t, resp.Discard())
				}
			}
		})
	}
	wg.Wait()
}
