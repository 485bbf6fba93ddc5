package h3test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestHTTP3_is_refused_by_New_where_libcurl_has_none(t *testing.T) {
	if cgo.Features().HTTP3 {
		t.Skip("this libcurl has HTTP/3")
	}
	for _, v := range []config.Version{config.HTTP3, config.HTTP3Only} {
		_, err := ratmom.New(config.HTTPVersion(v))
		require.ErrorIs(t, err, ratmom.ErrUnsupported)
	}
}

func TestHTTP3_is_used_where_the_server_has_it(t *testing.T) {
	needHTTP3(t)
	s := start(t, hello)
	resp, err := newClient(t, s.CAFile, config.HTTP3).Send(get(t, patient(t), s.URL))
	require.NoError(t, err)
	require.NoError(t, resp.Discard())
	require.Equal(t, "HTTP/3.0", resp.Proto)
}

func TestHTTP3_falls_back_to_what_the_server_has(t *testing.T) {
	needHTTP3(t)
	for _, mode := range []testserver.Mode{testserver.H2, testserver.HTTPS1} {
		t.Run(string(mode), func(t *testing.T) {
			s := testserver.StartFunc(t, mode, hello) // TCP alone
			client := newClient(t, s.CAFile, config.HTTP3)
			begin := time.Now()
			resp, err := client.Send(get(t, patient(t), s.URL))
			require.NoError(t, err)
			text, err := resp.Text()
			require.NoError(t, err)
			require.Equal(t, "hello", text)
			require.Equal(t, mode.Proto(), resp.Proto)
			t.Logf("%s after %v", resp.Proto, time.Since(begin))
		})
	}
}

func TestHTTP3_only_does_not_fall_back(t *testing.T) {
	needHTTP3(t)
	s := testserver.StartFunc(t, testserver.H2, hello)
	client := newClient(t, s.CAFile, config.HTTP3Only, config.ConnectTimeout(5*time.Second))
	begin := time.Now()
	_, err := client.Send(get(t, patient(t), s.URL))
	var e *ratmom.Error
	require.ErrorAs(t, err, &e)
	require.Zero(t, s.Accepted())
	t.Logf("%v after %v", err, time.Since(begin))
}

func TestHTTP3_verifies_certificates(t *testing.T) {
	needHTTP3(t)
	authority := testserver.LocalAuthority(t)
	for _, c := range []struct {
		name        string
		certificate *testserver.Certificate
		caFile      string
	}{
		{"an authority that is not trusted", authority.Localhost(t), testserver.NewAuthority(t).File(t)},
		{"another host's", authority.WrongHost(t), authority.File(t)},
		{"expired", authority.Expired(t), authority.File(t)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, hello, c.certificate)
			client := newClient(t, c.caFile, config.HTTP3Only)
			_, err := client.Send(get(t, patient(t), s.URL))
			require.Error(t, err)
			require.True(t, errors.Is(err, ratmom.ErrCertificateVerification), "%v", err)
		})
	}
}
