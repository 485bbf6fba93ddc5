// Command sink is a server that takes uploads and forgets them.
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
	f.HTTP(http.HandlerFunc(serve.Sink))
}
