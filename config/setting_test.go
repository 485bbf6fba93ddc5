package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

func TestSecrets_are_never_printed(t *testing.T) {
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"}
	for _, s := range samples() {
		for _, o := range []any{s.first, s.second} {
			things := []any{o}
			if _, ok := o.(ClientOption); ok {
				c := client(t, o)
				things = append(things, c, c.Defaults(), []any{o}, struct{ O any }{o})
			}
			for _, x := range things {
				for _, v := range verbs {
					out := fmt.Sprintf(v, x)
					assert.NotContains(t, out, secretText, "%s of %s", v, s.name)
					assert.NotContains(t, out, fmt.Sprintf("%x", secretText), "%s of %s", v, s.name)
				}
				var b bytes.Buffer
				slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "x", x)
				slog.New(slog.NewTextHandler(&b, nil)).Info("x", "x", x)
				assert.NotContains(t, b.String(), secretText, "slog of %s", s.name)
			}
		}
	}
}

func TestSecrets_are_not_in_errors(t *testing.T) {
	for _, o := range []Option{
		BasicAuth(secretText+"\n", "x"),
		BasicAuth("x", secretText+"\x00"),
		BasicAuth(secretText+":", "x"),
		ProxyDigestAuth("x", secretText+"\r"),
		BearerAuth(secretText + "\n"),
		AWSSigV4Auth(AWSSigV4{AccessKeyID: secretText, SecretAccessKey: secretText, Region: "r"}),
		AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: secretText + "\n"}),
		Proxy("http://u:" + secretText + "@host:99999"),
		Proxy("http://u:" + secretText + "%zz@host"),
		Proxy("u:" + secretText + "@ho st"),
		Proxy("ftp://" + secretText + "@host"),
		ProxyHeaders(map[string][]string{"A": {secretText + "\n"}}),
	} {
		_, err := NewClient(o)
		require.Error(t, err)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secretText)
	}
	_, err := NewClient(DefaultHeader("A", secretText+"\n"))
	require.Error(t, err)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secretText)
}

func TestConfig_prints_its_options(t *testing.T) {
	c := client(t, Timeout(1e9), Proxy("http://me:"+secretText+"@proxy:3128"))
	out := fmt.Sprint(c.Defaults())
	assert.Contains(t, out, "timeout{1s}")
	assert.Contains(t, out, "proxy{http://xxxxx@proxy:3128}")
	assert.Equal(t, "lowSpeed{10, 1s}", fmt.Sprint(LowSpeed(10, 1e9)))
}

func TestLibcurl_takes_every_sample(t *testing.T) {
	var pool cgo.Pool
	defer pool.Close()
	for _, s := range samples() {
		for _, x := range []any{s.first, s.second, s.off} {
			if x == nil {
				continue
			}
			var r *RequestConfig
			if _, ok := x.(ClientOption); ok {
				r = client(t, x).Defaults()
			} else {
				r = request(t, client(t), x)
			}
			for _, u := range testURLs {
				prepare(t, &pool, r, u)
			}
		}
	}
}

// prepare sets the options on a real easy handle.
func prepare(t testing.TB, pool *cgo.Pool, r *RequestConfig, u string) {
	t.Helper()
	tr, err := pool.Get(nil, nil)
	require.NoError(t, err)
	defer pool.Put(tr)
	var o cgo.Options
	require.NoError(t, r.Encode(&o, mustParse(t, u)))
	require.NoError(t, tr.Prepare(&cgo.Setup{}, &o), "%v", r)
}
