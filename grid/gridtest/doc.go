// Package gridtest is a network in memory whose faults are chosen by the test.
//
// A [Network] has nodes with names. They listen and dial as on a real one, and get
// a [net.Conn] that is buffered, keeps deadlines and can be half closed. What goes
// wrong on the way from one node to another is said by [Faults], for each direction by
// itself, and may be changed while connections are in use:
//
//	n := gridtest.New(1)
//	l, err := n.Listen("b")
//	conn, err := n.Dial(ctx, "a", "b")
//	n.Set("a", "b", gridtest.Faults{Latency: 20 * time.Millisecond, Chop: 7})
//	n.Set("b", "a", gridtest.Faults{Path: gridtest.Dark}) // one-way loss
//	n.Kill("b", gridtest.WithReset)                       // and Listen("b") again
//
// There are no goroutines and no sockets beneath. Waiting is by timers and
// conditions only, so that a test inside [testing/synctest] has its own clock: make
// the Network inside the bubble. What is random comes from the seed, the names of the two
// nodes, and the number of the connection between them: the same test meets the same faults.
package gridtest
