// Command quic is the benchmark's HTTP/3 server: quic-go's.
package main

import (
	"crypto/tls"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"

	"github.com/quic-go/quic-go/http3"

	"github.com/ratmom/ratmom/bench/internal/serve"
)

func main() {
	var f serve.Flags
	f.Register()
	big := flag.Int64("big", 1<<30, "bytes of /big")
	flag.Parse()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	config := f.Certificate()
	if config == nil {
		config = new(tls.Config)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, serve.Small) })
	mux.HandleFunc("/sink", serve.Sink)
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.FormatInt(*big, 10))
		chunk := make([]byte, 256<<10)
		for left := *big; left > 0; {
			n, err := w.Write(chunk[:min(left, int64(len(chunk)))])
			if err != nil {
				return
			}
			left -= int64(n)
		}
	})
	s := &http3.Server{Handler: mux, TLSConfig: http3.ConfigureTLSConfig(config)}
	go func() { log.Fatal(s.Serve(conn)) }()
	serve.UntilInputEnds(conn.LocalAddr())
}
