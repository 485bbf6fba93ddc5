package grid_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/gridtest"
)

const (
	HandlerStat grid.HandlerID = 1
	HandlerWalk grid.HandlerID = 2
)

type (
	StatReq  struct{ Path string }
	StatResp struct{ Size int64 }
	WalkReq  struct{ Path string }
	Entry    struct{ Name string }
)

// Both sides have these: what a request is called, and how its values are written.
var (
	stat = grid.Single[StatReq, *StatResp](HandlerStat, grid.JSON())
	walk = grid.Streaming[WalkReq, struct{}, Entry](HandlerWalk, grid.JSON())
)

// serveTree registers the handlers.
func serveTree(m *grid.Manager) error {
	err := stat.Register(m, func(_ context.Context, _ *grid.Call, req StatReq) (*StatResp, error) {
		return &StatResp{Size: int64(len(req.Path))}, nil
	})
	if err != nil {
		return err
	}
	return walk.Register(m, func(ctx context.Context, s *grid.TypedServerStream[struct{}, Entry], req WalkReq) error {
		for _, name := range []string{"bin", "etc"} {
			if err := s.Send(ctx, Entry{Name: req.Path + name}); err != nil {
				return err
			}
		}
		return nil
	})
}

func Example_typed() {
	n := gridtest.New(1) // a network in memory
	defer n.Close()
	peers := []grid.Peer{{Name: "a"}, {Name: "b"}}
	var managers [2]*grid.Manager
	for i, p := range peers {
		m, err := grid.NewManager(grid.Config{Self: p.Name, Peers: peers, Dial: n.Dialer(p.Name)})
		if err != nil {
			log.Fatal(err)
		}
		defer m.Close()
		l, err := n.Listen(p.Name)
		if err != nil {
			log.Fatal(err)
		}
		server := &http.Server{Handler: m.Handler()}
		go func() { _ = server.Serve(l) }()
		defer server.Close()
		managers[i] = m
	}
	if err := serveTree(managers[1]); err != nil {
		log.Fatal(err)
	}
	ctx, conn := context.Background(), managers[0].Connection("b")
	if err := conn.WaitReady(ctx); err != nil {
		log.Fatal(err)
	}

	resp, err := stat.Call(ctx, conn, StatReq{Path: "/"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("size", resp.Size)
	for entry, err := range walk.All(ctx, conn, WalkReq{Path: "/"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.Name)
	}
	// Output:
	// size 1
	// /bin
	// /etc
}
