package http3_test

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/server/http3"
)

// Both servers of a site, over QUIC and over TCP.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cert, err := tls.LoadX509KeyPair("/etc/site/cert.pem", "/etc/site/key.pem")
	if err != nil {
		log.Fatal(err)
	}
	tlsConfig := &tls.Config{Certificates: []tls.Certificate{cert}}
	handler := http.FileServer(http.Dir("/srv/site"))

	h3 := &http3.Server{Addr: ":443", Handler: handler, TLSConfig: tlsConfig}
	https := &http.Server{Addr: ":443", Handler: h3.AltSvc(handler), TLSConfig: tlsConfig} // says over TCP that HTTP/3 is there
	failed := make(chan error, 2)
	go func() { failed <- h3.ListenAndServe() }()
	go func() { failed <- https.ListenAndServeTLS("", "") }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h3.Shutdown(end); err != nil {
		log.Print(err)
	}
	if err := https.Shutdown(end); err != nil {
		log.Print(err)
	}
}
