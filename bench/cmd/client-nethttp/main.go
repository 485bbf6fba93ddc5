// Command client-nethttp is Go's own client as a peer of the benchmark.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"

	"github.com/ratmom/ratmom/bench/internal/client"
)

func main() { client.Main("net/http "+runtime.Version(), open) }

type peer struct{ client http.Client }

// open tunes it as an experienced user would: connections are kept for all that
// run at once, and no gzip is asked for where nothing is compressed.
func open(o client.Options) (client.Peer, error) {
	t := &http.Transport{
		MaxIdleConns:        o.InFlight + 8,
		MaxIdleConnsPerHost: o.InFlight + 8,
		DisableCompression:  true,
		ReadBufferSize:      o.Buffer,
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate", o.CAFile)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(!o.HTTP2)
		t.Protocols.SetHTTP2(o.HTTP2)
	}
	return &peer{http.Client{Transport: t}}, nil
}

func (p *peer) Get(url string) (int, io.ReadCloser, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Body, nil
}

func (p *peer) Close() error {
	p.client.CloseIdleConnections()
	return nil
}
