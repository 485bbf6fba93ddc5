package endurance

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// A transfer that waits because its speed is limited must not turn the loop.
func TestLimited_transfers_let_the_agent_sleep(t *testing.T) {
	for _, mode := range []testserver.Mode{testserver.H1, testserver.HTTPS1, testserver.H2} {
		t.Run(string(mode), func(t *testing.T) {
			if mode == testserver.H2 && !cgo.Features().HTTP2 {
				t.Skip("this libcurl has no HTTP/2")
			}
			s := testserver.Start(t, mode, testserver.Blob(64<<20))
			opts := []config.ClientOption{config.Proxy(""), config.MaxDownloadSpeed(250_000)}
			if s.CAFile != "" {
				opts = append(opts, config.CAFile(s.CAFile))
			}
			c, err := ratmom.New(opts...)
			require.NoError(t, err)
			defer c.Close()
			resp, err := c.Get(s.URL)
			require.NoError(t, err)
			defer resp.Body.Close()

			steps := func() (n uint64) {
				for _, a := range c.Stats().Agents {
					n += a.Steps
				}
				return n
			}
			before, began := steps(), time.Now()
			_, err = io.CopyN(io.Discard, resp.Body, 1_000_000)
			require.NoError(t, err)
			made, most := steps()-before, 300+300*uint64(time.Since(began)/time.Second)
			require.Less(t, made, most, "turns in %v", time.Since(began))
		})
	}
}
