// Package serve is what the benchmark's servers in Go have in common: they print
// their address and end when their standard input does.
package serve

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

// Streams is how many requests a server lets run at once on a connection with
// HTTP/2, here and in nginx.
const Streams = 100

// Small is what a small response holds.
const Small = "thirty-four bytes of body, all of\n"

// Flags are the command line that all servers know.
type Flags struct {
	Cert, Key string
	HTTP2     bool
}

// Register makes them flags.
func (f *Flags) Register() {
	flag.StringVar(&f.Cert, "cert", "", "serve TLS, with the certificate in this file")
	flag.StringVar(&f.Key, "key", "", "and the key in this one")
	flag.BoolVar(&f.HTTP2, "http2", false, "serve HTTP/2 too")
}

// Certificate is the pair, nil without one.
func (f *Flags) Certificate() *tls.Config {
	if f.Cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// HTTP serves until standard input ends.
func (f *Flags) HTTP(h http.Handler) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &http.Server{
		Handler:   h,
		TLSConfig: f.Certificate(),
		Protocols: new(http.Protocols),
		// Windows that an upload does not wait for.
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          Streams,
			MaxReceiveBufferPerConnection: 4 << 20,
			MaxReceiveBufferPerStream:     4 << 20,
		},
		// A client that goes away in the handshake is not worth a line.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	s.Protocols.SetHTTP1(!f.HTTP2)
	s.Protocols.SetHTTP2(f.HTTP2)
	go func() {
		if s.TLSConfig != nil {
			log.Fatal(s.ServeTLS(l, "", ""))
		}
		log.Fatal(s.Serve(l))
	}()
	UntilInputEnds(l.Addr())
}

// UntilInputEnds tells the address and waits.
func UntilInputEnds(a net.Addr) {
	fmt.Println(a)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// Sink reads what is sent and answers when it has all of it.
func Sink(w http.ResponseWriter, r *http.Request) {
	buf := make([]byte, 256<<10)
	for {
		_, err := r.Body.Read(buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, Small)
}
