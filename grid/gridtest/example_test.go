package gridtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
)

func Example() {
	n := gridtest.New(1)
	defer n.Close()
	l, err := n.Listen("b")
	if err != nil {
		panic(err)
	}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(conn, conn)
		_ = conn.Close()
	}()
	n.Set("a", "b", gridtest.Faults{Latency: time.Millisecond, Chop: 3, ResetAt: 5})
	conn, err := n.Dial(context.Background(), "a", "b")
	if err != nil {
		panic(err)
	}
	sent, err := conn.Write([]byte("hello, world"))
	fmt.Println(sent, err)
	// Output: 5 write gridtest a:1->b:0: connection reset by peer
}

// Two servers of a grid over a network whose faults are chosen.
func ExampleNetwork() {
	peers := []grid.Peer{{Name: "a"}, {Name: "b"}}
	n := gridtest.New(1)
	defer n.Close()
	l, err := n.Listen("a") // for http.Server.Serve
	if err != nil {
		panic(err)
	}
	m, err := grid.NewManager(grid.Config{Self: "a", Peers: peers, Dial: n.Dialer("a")})
	if err != nil {
		panic(err)
	}
	defer m.Close()
	server := &http.Server{Handler: m.Handler()}
	go func() { _ = server.Serve(l) }()
	defer server.Close()

	n.Set("a", "b", gridtest.Faults{Latency: 5 * time.Millisecond, ResetAt: 10_000})
	n.Partition(gridtest.Dark, []string{"a"}, []string{"b"})
	n.Kill("b", gridtest.WithReset)

	_, err = m.Connection("b").Request(context.Background(), 1, nil)
	fmt.Println(errors.Is(err, grid.ErrDisconnected))
	// Output: true
}
