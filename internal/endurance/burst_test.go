//go:build !ratmom_poll

// The portable loop on libcurl 7.88.1 gives a connection its turn only mostly: docs/limits.md.

package endurance

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// burst writes answers to all streams at once, in pieces that are mixed, and sizes tells how long each is.
func burst(c *testserver.FrameConn, streams []*testserver.Stream, sizes []int, rnd *rand.Rand) {
	out := &bytes.Buffer{}
	frames := http2.NewFramer(out, nil)
	left := make([]int, len(sizes))
	var open []int
	for i, s := range streams {
		left[i] = sizes[i]
		open = append(open, i)
		fields := []string{":status", "200"}
		if rnd.IntN(2) == 0 {
			fields = append(fields, "content-length", strconv.Itoa(sizes[i]))
		}
		out.Write(together(c, s).head(false, fields...).out.Bytes())
	}
	for len(open) > 0 {
		at := rnd.IntN(len(open))
		i := open[at]
		n := min(left[i], 1+rnd.IntN(16384))
		left[i] -= n
		end := left[i] == 0 && rnd.IntN(2) == 0
		_ = frames.WriteData(streams[i].ID, end, bytes.Repeat([]byte{byte('a' + i)}, n))
		if left[i] > 0 {
			continue
		}
		if !end {
			_ = frames.WriteData(streams[i].ID, true, nil)
		}
		open = append(open[:at], open[at+1:]...)
	}
	_, _ = c.Conn.Write(out.Bytes())
}

// Nothing comes behind them that would have libcurl look again at what it has read.
func TestAnswers_that_come_all_at_once_are_whole_though_nothing_follows(t *testing.T) {
	const rounds = 40
	for name, buffer := range map[string]int{"read at once": 1 << 20, "read slowly": 4 << 10} {
		t.Run(name, func(t *testing.T) {
			type round struct {
				sizes []int
				rnd   *rand.Rand
			}
			next := make(chan round, 1)
			s := testserver.Frames(t, func(c *testserver.FrameConn) {
				for {
					first, err := c.NextRequest()
					if err != nil {
						return
					}
					r := <-next
					streams := []*testserver.Stream{first}
					for len(streams) < len(r.sizes) {
						s, err := c.NextRequest()
						if err != nil {
							return
						}
						streams = append(streams, s)
					}
					burst(c, streams, r.sizes, r.rnd)
				}
			}, testserver.WithTLS())
			client := clientFor(t, testserver.H2, s.CAFile)
			ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
			defer cancel()
			for seed := range uint64(rounds) {
				rnd := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // to be had again
				sizes := make([]int, 2+rnd.IntN(3))
				for i := range sizes {
					sizes[i] = rnd.IntN(150_000)
				}
				next <- round{sizes, rnd}
				texts := make(chan error, len(sizes))
				got := make([]string, 'e')
				for range sizes {
					req := request(t, ctx, http.MethodGet, s.URL)
					go func() {
						resp, err := client.Send(req, config.BodyBuffer(buffer))
						if err != nil {
							texts <- err
							return
						}
						text, err := resp.Text()
						if err == nil && text != "" && text != string(bytes.Repeat([]byte{text[0]}, len(text))) {
							err = fmt.Errorf("%d bytes of more than one answer", len(text))
						}
						if text != "" {
							got[text[0]] = text // each byte is of one answer
						}
						texts <- err
					}()
				}
				for range sizes {
					require.NoError(t, <-texts, "seed %d", seed)
				}
				for i, n := range sizes {
					require.Len(t, got['a'+i], n, "seed %d", seed)
				}
			}
		})
	}
}
