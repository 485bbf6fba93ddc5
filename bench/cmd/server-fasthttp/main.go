// Command server-fasthttp is fasthttp's server as a peer of the benchmark.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"github.com/ratmom/ratmom/bench/internal/serve"
)

func main() {
	var f serve.Flags
	f.Register()
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &fasthttp.Server{Handler: answer, TLSConfig: f.Certificate(), Logger: log.New(io.Discard, "", 0)}
	go func() {
		if s.TLSConfig != nil {
			log.Fatal(s.ServeTLS(l, "", ""))
		}
		log.Fatal(s.Serve(l))
	}()
	serve.UntilInputEnds(l.Addr())
}

func answer(ctx *fasthttp.RequestCtx) {
	if string(ctx.Path()) == serve.GCPath {
		debug.FreeOSMemory()
	}
	ctx.SetContentType("text/plain")
	ctx.SetBodyString(serve.Small)
}
