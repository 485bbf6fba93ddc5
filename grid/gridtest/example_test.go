package gridtest_test

import (
	"context"
	"fmt"
	"io"
	"time"

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
