package server_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/ratmom/ratmom/server"
)

func ExampleServer() {
	s := &server.Server{
		Pipeline: 15,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				time.Sleep(20 * time.Millisecond)
			}
			_, _ = io.WriteString(w, r.URL.Path)
		}),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Shutdown(context.Background()) }()

	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = c.Close() }()
	_, _ = io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"+
		"GET /fast HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	answers, _ := io.ReadAll(c)
	slow, fast := strings.Index(string(answers), "/slow"), strings.Index(string(answers), "/fast")
	fmt.Println("in order:", 0 < slow && slow < fast)
	// Output: in order: true
}

func ExampleServer_ListenAndServe() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })

	s := &server.Server{Addr: ":8080", Handler: mux, Pipeline: 15}
	log.Fatal(s.ListenAndServe())
}
