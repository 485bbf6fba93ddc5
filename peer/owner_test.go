package peer

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// Messages of NTLM of types 1 and 3, without an answer that somebody could check; see testserver.NTLM.
func ntlmHello() string { return ntlmMessage("NTLMSSP\x00\x01\x00\x00\x00\x07\x82\x08\x00") }

func ntlmAnswer() string {
	const head = 64
	m := make([]byte, head)
	copy(m, "NTLMSSP\x00\x03")
	m[20], m[22], m[24] = 24, 24, head                                                          // the response
	m[36], m[38], m[40] = byte(len(testserver.User)), byte(len(testserver.User)), byte(head+24) // the user
	return ntlmMessage(string(m) + strings.Repeat("r", 24) + testserver.User)
}

func ntlmMessage(s string) string { return "NTLM " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestOwner_has_the_connection_that_its_credentials_opened(t *testing.T) {
	ntlm := testserver.NTLM(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) }))
	s := plain(t, ntlm.ServeHTTP)
	m := openMap(t)
	do := func(authorization string, opts ...RequestOption) (*Result, error) {
		req := request(t, http.MethodGet, s.URL)
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		return m.Do(req, append(opts, AnyStatus())...)
	}
	for _, scheme := range []string{"NTLM", "ntlm", "Negotiate", " Kerberos", "NEGOTIATE"} {
		_, err := do(scheme + " TlRMTVNTUAAB")
		require.ErrorIs(t, err, ErrNotPinned, scheme)
	}
	for _, name := range []string{"authorization", "proxy-authorization"} {
		req := request(t, http.MethodGet, s.URL)
		req.Header[name] = []string{ntlmHello()}
		_, err := m.Do(req, AnyStatus())
		require.ErrorIs(t, err, ErrNotPinned, name)
	}
	_, err := do("NTLM\tTlRMTVNTUAAB")
	require.ErrorIs(t, err, ErrNotPinned, "a tab")
	assert.EqualValues(t, 0, s.hits.Load())

	alice := Owner("alice")
	res, err := do("", alice)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, res.Status)
	res, err = do(ntlmHello(), alice)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, res.Status)
	require.True(t, strings.HasPrefix(res.Header.Get("Www-Authenticate"), "NTLM T"), "a challenge")
	res, err = do(ntlmAnswer(), alice)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.Status)
	mine := string(res.Content)

	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			res, err := do("", alice)
			if assert.NoError(t, err) {
				assert.Equal(t, mine, string(res.Content), "it stays hers")
			}
		})
		wg.Go(func() {
			for _, who := range [][]RequestOption{nil, {Owner("bob")}} {
				res, err := do("", who...)
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusUnauthorized, res.Status, "nobody else is on it")
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 1, ntlm.Handshakes())

	p, err := m.Get(s.URL)
	require.NoError(t, err)
	s.breakAll()
	eventually(t, "the connections are gone", func() bool { return len(states(p)) == 0 })
	_, err = do("", alice)
	require.ErrorIs(t, err, ErrPinLost)
	res, err = do("", alice)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, res.Status)
	_, err = do(ntlmHello(), alice)
	require.NoError(t, err)
	assert.True(t, p.Disown("alice"))
	assert.False(t, p.Disown("alice"))
	assert.False(t, p.Disown("bob"))
}

func TestOwner_makes_room_of_what_is_lost(t *testing.T) {
	s := plain(t, nil)
	m := openMap(t, MaxPins(1))
	p, err := m.Get(s.URL)
	require.NoError(t, err)
	do := func(owner string) error {
		req := request(t, http.MethodGet, s.URL)
		req.Header.Set("Proxy-Authorization", ntlmHello())
		_, err := m.Do(req, Owner(owner))
		return err
	}
	require.NoError(t, do("alice"))
	require.ErrorIs(t, do("bob"), ErrTooManyPins)
	s.breakAll()
	eventually(t, "it is lost", func() bool { return len(states(p)) == 0 })
	require.NoError(t, do("bob"))
}

// What libcurl negotiates by itself is for a peer's own user: its links are nobody else's.
func TestLinks_of_a_peer_with_NTLM_are_its_users(t *testing.T) {
	for _, secured := range []bool{false, true} {
		ntlm := testserver.NTLM(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		}))
		s := newServer(t, ntlm.ServeHTTP)
		if secured {
			s.StartTLS()
		} else {
			s.Start()
		}
		m := openMap(t, trusting(), Profile("nobody"), Profile("alice", config.NTLMAuth(testserver.User, testserver.Password)))
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				method := []string{http.MethodGet, http.MethodPost}[i%2]
				req := request(t, method, s.URL)
				if method == http.MethodPost {
					req.Body = body.Bytes([]byte("content"))
				}
				res, err := m.Do(req, WithProfile("alice"))
				if assert.NoError(t, err) && method == http.MethodPost {
					assert.Equal(t, "content", string(res.Content))
				}
			})
			wg.Go(func() {
				res, err := m.Do(request(t, http.MethodGet, s.URL), WithProfile("nobody"), AnyStatus())
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusUnauthorized, res.Status)
				}
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, ntlm.Handshakes(), 4, "one for each link")
	}
}

func TestOwner_is_told_once_that_the_connection_is_lost(t *testing.T) {
	s := plain(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/over" {
			panic(http.ErrAbortHandler)
		}
	})
	m := openMap(t, MaxPins(1))
	do := func(path string) error {
		req := request(t, http.MethodGet, s.URL+path)
		req.Header.Set("Authorization", ntlmHello())
		_, err := m.Do(req, Owner("alice"))
		return err
	}
	require.NoError(t, do("/"))
	require.ErrorIs(t, do("/over"), ErrPinLost)
	require.NoError(t, do("/"), "it begins anew")
}
