package config_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// tlsKinds are ways to speak TLS with s, whose requests a client may make at once.
func tlsKinds(t *testing.T, s *testserver.Server) map[string][]config.RequestOption {
	authority := testserver.NewAuthority(t)
	shows := func(name string) config.RequestOption {
		cert, key := authority.Client(t, name).Files(t)
		return config.ClientCertificate(cert, key)
	}
	strangers := config.CAFile(testserver.NewAuthority(t).File(t))
	return map[string][]config.RequestOption{
		"as the client":        nil,
		"another file":         {config.CAFile(testserver.LocalAuthority(t).File(t))},
		"shows one":            {shows("one")},
		"shows another":        {shows("another")},
		"1.2 at most":          {config.TLSMaxVersion(tls.VersionTLS12)},
		"a cipher of 1.2":      {config.TLSMaxVersion(tls.VersionTLS12), config.TLSCiphers("ECDHE-ECDSA-AES256-GCM-SHA384")},
		"a cipher of 1.3":      {config.TLS13Ciphers("TLS_CHACHA20_POLY1305_SHA256")},
		"a curve":              {config.TLSCurves("P-384")},
		"no ALPN":              {config.ALPN(false)},
		"strangers":            {strangers},
		"nobody is checked":    {strangers, config.DangerAcceptInvalidCertificates(true)},
		"authorities as PEM":   {config.CABytes(s.CAPEM)},
		"strangers as PEM":     {config.CABytes(testserver.NewAuthority(t).PEM)},
		"an answer is stapled": {config.OCSPStapling(true)},
	}
}

// What a server sees of a request, and the client of a server, is the same whatever else the client does.
func TestTLS_of_a_request_is_its_own_among_others(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			testserver.Who().ServeHTTP(w, r)
			_, _ = fmt.Fprintf(w, " %s %s %v %q", tls.VersionName(r.TLS.Version), tls.CipherSuiteName(r.TLS.CipherSuite), r.TLS.CurveID,
				r.TLS.NegotiatedProtocol)
		}, testserver.AsksWho())
		ask := func(c *ratmom.Client, opts []config.RequestOption) string {
			resp, err := c.Get(s.URL, append([]config.RequestOption{config.FreshConnection()}, opts...)...)
			if err != nil {
				return fmt.Sprint("verification failed: ", errors.Is(err, ratmom.ErrCertificateVerification))
			}
			defer func() { _ = resp.Body.Close() }()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				return err.Error()
			}
			return string(text)
		}
		kinds, alone := tlsKinds(t, s), map[string]string{}
		names := slices.Sorted(maps.Keys(kinds))
		for _, name := range names {
			alone[name] = ask(newClient(t, config.CAFile(s.CAFile)), kinds[name])
		}
		require.Equal(t, "verification failed: true", alone["strangers"])
		c := newClient(t, config.CAFile(s.CAFile))
		for _, together := range []uint64{1, 2, 4} {
			var wait sync.WaitGroup
			for seed := range together {
				wait.Go(func() {
					random := rand.New(rand.NewPCG(seed, together))
					for range 40 {
						name := names[random.IntN(len(names))]
						if random.IntN(2) == 0 {
							name = "as the client"
						}
						for range 1 + random.IntN(3) {
							assert.Equal(t, alone[name], ask(c, kinds[name]), name)
						}
					}
				})
			}
			wait.Wait()
		}
	}, testserver.HTTPS1, testserver.H2)
}
