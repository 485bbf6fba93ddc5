package server

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// h2specProgram names h2spec, which takes too long for every day: ci/h2spec.sh sets it.
const h2specProgram = "RATMOM_H2SPEC"

// netHTTPDecides are the cases of h2spec that net/http's HTTP/2 fails, and lets nobody change: docs/server.md.
var netHTTPDecides = []string{
	"6.5.3. Settings Synchronization: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE",
	"8.1.2.2. Connection-Specific Header Fields: Sends a HEADERS frame that contains the TE header field with any value other than \"trailers\"",
	"8.1.2.2. Connection-Specific Header Fields: Sends a HEADERS frame that contains the connection-specific header field",
}

func TestServer_passes_h2spec_but_for_what_net_http_decides(t *testing.T) {
	program := os.Getenv(h2specProgram)
	if program == "" {
		t.Skip("ci/h2spec.sh runs it")
	}
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Whoever answers before the request has ended resets its stream, which h2spec may see first.
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000))
	})
	only := new(http.Protocols)
	only.SetUnencryptedHTTP2(true)
	certificate := testserver.LocalAuthority(t).Localhost(t).TLS
	for name, c := range map[string]struct {
		server *Server
		wrap   func(s *Server, l net.Listener) net.Listener
		args   []string
	}{
		"TLS": {&Server{Handler: read}, func(s *Server, l net.Listener) net.Listener {
			s.prepare()
			config := s.http2.tlsConfig.Clone()
			config.Certificates = []tls.Certificate{certificate}
			return tls.NewListener(l, config)
		}, []string{"-t", "-k"}},
		"clear text": {&Server{Handler: read, Protocols: only}, func(_ *Server, l net.Listener) net.Listener { return l }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			serveOn(t, c.server, c.wrap(c.server, l))
			host, port, err := net.SplitHostPort(l.Addr().String())
			require.NoError(t, err)
			report := filepath.Join(t.TempDir(), "report.xml")
			out, _ := exec.Command(program, append(c.args, "-h", host, "-p", port, "-o", "5", "-j", report)...).CombinedOutput()
			all, failed := h2specReport(t, report, out)
			t.Logf("%d of %d cases pass", all-len(failed), all)
			assert.GreaterOrEqual(t, all, 145)
			assert.Equal(t, netHTTPDecides, failed, "%s", out)
		})
	}
}

// h2specReport counts the cases and names those that failed.
func h2specReport(t *testing.T, name string, out []byte) (all int, failed []string) {
	b, err := os.ReadFile(name)
	require.NoError(t, err, "%s", out)
	var report struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(b, &report))
	for _, suite := range report.Suites {
		for _, c := range suite.Cases {
			all++
			if c.Failure != nil || c.Error != nil {
				failed = append(failed, suite.Name+": "+c.Name)
			}
		}
	}
	slices.Sort(failed)
	return all, failed
}
