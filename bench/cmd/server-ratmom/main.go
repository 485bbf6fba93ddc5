// Command server-ratmom is ratmom's server as a peer of the benchmark.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/ratmom/ratmom/bench/internal/serve"
	"github.com/ratmom/ratmom/server"
)

func main() {
	var f serve.Flags
	f.Register()
	pipeline := flag.Int("pipeline", 0, "how many requests of a connection run beside the first")
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &server.Server{
		Handler:   http.HandlerFunc(serve.SmallHandler),
		TLSConfig: f.Certificate(),
		Protocols: new(http.Protocols),
		Pipeline:  *pipeline,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	s.Protocols.SetHTTP1(!f.HTTP2)
	s.Protocols.SetHTTP2(f.HTTP2)
	go func() {
		if s.TLSConfig != nil {
			log.Fatal(s.ServeTLS(l, "", ""))
		}
		log.Fatal(s.Serve(l))
	}()
	serve.UntilInputEnds(l.Addr())
}
