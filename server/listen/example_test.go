package listen_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ratmom/ratmom/server/listen"
)

func ExampleConfig_Listen() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	l, err := listen.Config{UnixMode: 0o660}.Listen(context.Background(), "unix", filepath.Join(folder, "site"))
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Mode())
	// Output: Srw-rw----
}

func ExampleOpenSockets() {
	ctx, terminate := context.WithCancel(context.Background()) // signal.NotifyContext in a program
	defer terminate()
	sockets, err := listen.OpenSockets(listen.Config{})
	if err != nil {
		log.Fatal(err)
	}
	l, err := sockets.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	server := &http.Server{Handler: listen.LastResponses(hello, sockets.Draining(), ctx.Done())}
	go func() { _ = server.Serve(l) }()
	if err := sockets.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	// On SIGHUP a program calls sockets.Restart.

	for range 2 {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = resp.Body.Close()
		fmt.Printf("%s, the last: %v\n", said, resp.Close)
		terminate()
	}
	select {
	case <-sockets.Draining():
	case <-ctx.Done():
	}
	fmt.Println(listen.Drain(context.Background(), 10*time.Millisecond, server))
	// Output:
	// hello, the last: false
	// hello, the last: true
	// <nil>
}
