// Package tuned is net/http's transport as an experienced user would set it up.
package tuned

import (
	"net/http"

	"github.com/ratmom/ratmom/bench/internal/client"
	"github.com/ratmom/ratmom/bench/internal/serve"
	"github.com/ratmom/ratmom/bench/internal/trust"
)

// Transport keeps connections for all requests that run at once, TLS sessions too,
// and asks for no gzip where nothing is compressed.
func Transport(o client.Options) (*http.Transport, error) {
	config, err := trust.Config(o.CAFile)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		MaxIdleConns:        o.InFlight + 8,
		MaxIdleConnsPerHost: o.InFlight + 8,
		DisableCompression:  true,
		ReadBufferSize:      o.Buffer,
		DisableKeepAlives:   o.Fresh,
		TLSClientConfig:     config,
	}
	if config != nil {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(!o.HTTP2)
		t.Protocols.SetHTTP2(o.HTTP2)
		if o.HTTP2 && o.FewConns {
			t.MaxConnsPerHost = (o.InFlight + serve.Streams - 1) / serve.Streams
		}
	}
	return t, nil
}
