// Package listen opens the listeners of a server: TCP and unix sockets, those of systemd,
// and those of the process that this one replaces. They are net.Listeners, for
// http.Server and any other.
//
//	sockets, err := listen.OpenSockets(listen.Config{})
//	l, err := sockets.Listen(ctx, "tcp", ":8080")
//	server := &http.Server{Handler: listen.LastResponses(handler, sockets.Draining())}
//	go server.Serve(listen.Patient(l, report))
//	err = sockets.Ready(ctx)
//
//	// On SIGHUP, say: start the program again, with the sockets.
//	err = sockets.Restart(ctx, nil)
//
//	// And at the end of main: wait for a hand-over, and end in order.
//	<-sockets.Draining()
//	err = listen.Drain(ctx, time.Second, server)
//
// A program that is never replaced opens its listeners with [Config.Listen].
//
// # Around a listener
//
// [Patient] waits out a want of file descriptors. [Limit] bounds the connections, in all
// and per source. Package proxyproto, beneath this one, reads the PROXY protocol of a load
// balancer; package certs has the certificates of a TLS server, which can be replaced
// while it runs. From the inside out:
//
//	l, err = sockets.Listen(ctx, "tcp", ":443")
//	l = listen.Patient(l, report)
//	l, err = proxyproto.Listen(l, proxyproto.Config{Trusted: balancers})
//	l, err = listen.Limit(l, listen.Limits{Max: 10000, PerSource: 100})
//	err = server.ServeTLS(l, "", "") // with certs.Store.TLSConfig
package listen
