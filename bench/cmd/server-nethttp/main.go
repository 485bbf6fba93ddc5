// Command server-nethttp is Go's own server as a peer of the benchmark.
package main

import (
	"flag"
	"net/http"

	"github.com/ratmom/ratmom/bench/internal/serve"
)

func main() {
	var f serve.Flags
	f.Register()
	flag.Parse()
	f.HTTP(http.HandlerFunc(serve.SmallHandler))
}
