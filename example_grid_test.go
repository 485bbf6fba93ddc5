package ratmom_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ratmom/ratmom/grid"
)

const HandlerStat grid.HandlerID = 1

// stat says what it was asked, and by whom.
func stat(_ context.Context, c *grid.Call) ([]byte, error) {
	return fmt.Appendf(nil, "%s asked for %s", c.Peer(), c.Payload()), nil
}

// startOther starts the server node-b, which the example calls.
func startOther(peers []grid.Peer, secret []byte) (handler http.Handler, stop func()) {
	m, err := grid.NewManager(grid.Config{Self: "node-b", Peers: peers, Secret: secret})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.HandleSingle(HandlerStat, stat); err != nil {
		log.Fatal(err)
	}
	return m.Handler(), func() { _ = m.Close() }
}

func Example_grid() {
	mux, other := http.NewServeMux(), http.NewServeMux()
	serverA, serverB := httptest.NewServer(mux), httptest.NewServer(other)
	defer serverA.Close()
	defer serverB.Close()
	peers := []grid.Peer{
		{Name: "node-a", Addr: serverA.Listener.Addr().String()},
		{Name: "node-b", Addr: serverB.Listener.Addr().String()},
	}
	secret, req, ctx := []byte("both know it"), []byte("/"), context.Background()
	handler, stop := startOther(peers, secret)
	defer stop()
	other.Handle(grid.DefaultPath, handler)

	m, err := grid.NewManager(grid.Config{Self: "node-a", Peers: peers, Secret: secret})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.HandleSingle(HandlerStat, stat, grid.MaxConcurrent(256)); err != nil {
		log.Fatal(err)
	}
	mux.Handle(grid.DefaultPath, m.Handler())

	resp, err := m.Connection("node-b").Request(ctx, HandlerStat, req, grid.WaitForReady())
	fmt.Println(string(resp), err)
	// Output: node-a asked for / <nil>
}
