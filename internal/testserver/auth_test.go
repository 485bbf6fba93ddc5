package testserver

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const credentials = User + ":" + Password

// codes runs curl for each URL on one set of connections and gives the final status
// codes and how many connections it took.
func codes(t *testing.T, args ...string) string {
	t.Helper()
	out := curl(t, append([]string{"-o", "/dev/null", "-o", "/dev/null", "-w", "%{http_code}/%{num_connects} "}, args...)...)
	return strings.TrimSpace(out)
}

func TestBasic_lets_the_right_credentials_through(t *testing.T) {
	s := Start(t, H1, Basic(Blob(5)))
	assert.Equal(t, "401/1", codes(t, s.URL))
	assert.Equal(t, "401/1", codes(t, "-u", User+":wrong", s.URL))
	assert.Equal(t, "200/1", codes(t, "-u", credentials, s.URL))
}

func TestDigest_lets_the_right_credentials_through(t *testing.T) {
	// Not SHA-512-256: libcurl took SHA-256 for it until 8.8.
	for _, d := range []Digest{
		{}, {Algorithm: "MD5-sess"}, {Algorithm: "SHA-256"}, {Algorithm: "SHA-256-sess"},
		{QOP: "auth-int"}, {QOP: "auth,auth-int"}, {QOP: "none"},
		{Algorithm: "SHA-256", UserHash: true}, {OneUse: true},
	} {
		t.Run(fmt.Sprintf("%+v", d), func(t *testing.T) {
			s := Start(t, H1, d.Handler(Sink()))
			assert.Equal(t, "401/1", codes(t, s.URL))
			assert.Equal(t, "401/1", codes(t, "--digest", "-u", User+":wrong", s.URL))
			assert.Equal(t, "200/1 200/0", codes(t, "--digest", "-u", credentials, s.URL+"/a?b=c", s.URL+"/d"))
			if d.QOP != "auth-int" { // libcurl takes the hash of no body
				assert.Equal(t, "400/1", codes(t, "--digest", "-u", credentials, "-d", "not the pattern", s.URL))
			}
		})
	}
}

func TestDigest_tells_stale_nonces_from_wrong_credentials(t *testing.T) {
	for _, d := range []Digest{{}, {Algorithm: "SHA-512-256"}, {OneUse: true}, {QOP: "auth-int"}} {
		s := Start(t, H1, d.Handler(Sink()))
		// ask sends an answer to a challenge and gives the status and the next challenge.
		ask := func(challenge map[string]string, count, cnonce string) (int, map[string]string) {
			req, err := http.NewRequest("POST", s.URL+"/x", Pattern(10))
			require.NoError(t, err)
			if challenge != nil {
				g := &digestGuard{Digest: Digest{Algorithm: challenge["algorithm"]}}
				p := map[string]string{"nonce": challenge["nonce"], "nc": count, "cnonce": cnonce, "qop": challenge["qop"], "uri": "/x"}
				body, err := io.ReadAll(Pattern(10))
				require.NoError(t, err)
				req.Header.Set("Authorization", fmt.Sprintf(
					"Digest username=%q, realm=%q, nonce=%q, uri=\"/x\", nc=%s, cnonce=%q, qop=%s, opaque=%q, response=%q",
					User, realm, p["nonce"], count, cnonce, p["qop"], challenge["opaque"], g.response(req, p, body)))
			}
			resp, err := s.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			_, next, _ := strings.Cut(resp.Header.Get("WWW-Authenticate"), " ")
			return resp.StatusCode, parseParameters(next)
		}
		_, challenge := ask(nil, "", "")
		status, _ := ask(challenge, "00000001", "c")
		assert.Equal(t, 200, status, "%+v", d)

		status, next := ask(challenge, "00000001", "c")
		assert.Equal(t, 401, status, "%+v: the same count again", d)
		assert.Equal(t, "true", next["stale"])

		status, next = ask(challenge, "00000002", "c")
		if d.OneUse {
			assert.Equal(t, 401, status)
			assert.Equal(t, "true", next["stale"])
		} else {
			assert.Equal(t, 200, status)
		}
		status, next = ask(challenge, "00000003", "")
		assert.Equal(t, 401, status)
		assert.Empty(t, next["stale"])
	}
}

func TestDigest_reads_parameters_as_they_may_be_written(t *testing.T) {
	assert.Equal(t, map[string]string{"a": `x"y, z`, "b": "token", "c": "", "d": "1"},
		parseParameters(`a="x\"y, z", B=token,c="" ,  d=1`))
}

func TestNTLM_opens_a_connection_and_no_other(t *testing.T) {
	n := NTLM(Blob(5))
	s := Start(t, H1, n)
	assert.Equal(t, "401/1", codes(t, s.URL))
	assert.Zero(t, n.Handshakes())
	assert.Equal(t, "200/1 200/0", codes(t, "--ntlm", "-u", credentials, s.URL, s.URL))
	assert.Equal(t, 1, n.Handshakes())
	assert.Equal(t, "401/1", codes(t, "--ntlm", "-u", "bob:x", s.URL))
	assert.Equal(t, "200/1", codes(t, "--ntlm", "-u", credentials, "-d", "body", s.URL))
	assert.Equal(t, "200/1", codes(t, "--anyauth", "-u", credentials, s.URL))
	assert.Equal(t, 3, n.Handshakes())
}

func TestNTLM_does_not_take_an_answer_without_its_challenge(t *testing.T) {
	n := NTLM(Blob(5))
	s := Start(t, H1, n)
	req, err := http.NewRequest("GET", s.URL, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "NTLM TlRMTVNTUAADAAAA")
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 401, resp.StatusCode)
}
