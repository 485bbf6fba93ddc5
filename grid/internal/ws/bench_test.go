package ws

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{16, 512, 64 << 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src, dst := make([]byte, n), make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				mask(dst, src, 0x12345678)
			}
		})
	}
}

// BenchmarkMessage has one end read what the other one writes, in parts as a batch has them.
func BenchmarkMessage(b *testing.B) {
	for _, side := range []string{"client", "server"} {
		for _, n := range []int{64, 8 << 10, 192 << 10} {
			b.Run(fmt.Sprintf("from=%s/bytes=%d", side, n), func(b *testing.B) {
				from, to := connect(b, Handshake{})
				if side == "server" {
					from, to = to, from
				}
				require.NoError(b, to.NetConn().SetDeadline(time.Time{}))
				require.NoError(b, from.NetConn().SetDeadline(time.Time{}))
				read := make(chan error, 1)
				go func() {
					buf := make([]byte, n)
					for {
						if _, err := to.Next(); err != nil {
							read <- err
							return
						}
						for got := 0; got < n; {
							m, err := to.Read(buf[got:])
							if got += m; err != nil {
								read <- err
								return
							}
						}
					}
				}()
				parts := net.Buffers{make([]byte, n/4), make([]byte, n-n/4)}
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := from.WriteMessage(parts); err != nil {
						b.Fatal(err)
					}
				}
				require.NoError(b, from.Close())
				require.ErrorIs(b, <-read, io.ErrUnexpectedEOF)
			})
		}
	}
}
