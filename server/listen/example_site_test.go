package listen_test

import (
	"context"
	"log"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/server/listen"
	"github.com/ratmom/ratmom/server/listen/certs"
	"github.com/ratmom/ratmom/server/listen/proxyproto"
)

// site serves until it is told to end, or another process has taken its place.
func site(ctx context.Context, handler http.Handler, files []certs.Files, balancers []netip.Prefix) error {
	reportShortage := func(err error, pause time.Duration) { log.Print(err, ", waiting ", pause) }
	sockets, err := listen.OpenSockets(listen.Config{})
	if err != nil {
		return err
	}
	l, err := sockets.Listen(ctx, "tcp", ":443") // inherited, systemd's, or new
	if err != nil {
		return err
	}
	l = listen.Patient(l, reportShortage) // waits out EMFILE
	l, err = proxyproto.Listen(l, proxyproto.Config{Trusted: balancers})
	if err != nil {
		return err
	}
	l, err = listen.Limit(l, listen.Limits{Max: 10000, PerSource: 100})
	if err != nil {
		return err
	}

	store, err := certs.Load(certs.Config{Files: files, Report: func(err error) { log.Print(err) }})
	if err != nil {
		return err
	}
	go store.Watch(ctx, time.Minute, syscall.SIGUSR1)

	server := &http.Server{
		Handler:     listen.LastResponses(handler, sockets.Draining(), ctx.Done()),
		TLSConfig:   store.TLSConfig(nil),
		ConnContext: proxyproto.ConnContext, // proxyproto.FromContext in handlers
	}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(l, "", "") }()
	// The process before stops accepting, and systemd is told.
	if err := sockets.Ready(ctx); err != nil {
		return err
	}

	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups { // start the program again
			start, cancel := context.WithTimeout(ctx, time.Minute)
			if err := sockets.Restart(start, nil); err != nil {
				log.Print(err) // and this process serves on
			}
			cancel()
		}
	}()
	select {
	case err := <-served:
		return err
	case <-sockets.Draining(): // handed over
	case <-ctx.Done(): // SIGTERM
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return listen.Drain(end, 2*time.Second, server)
}

// A program that takes its certificates from files, its clients' addresses from a load
// balancer, and its sockets from the process that it replaces.
func Example_site() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	files := []certs.Files{{Cert: "/etc/site/cert.pem", Key: "/etc/site/key.pem"}}
	balancers := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	if err := site(ctx, http.FileServer(http.Dir("/srv/site")), files, balancers); err != nil {
		log.Fatal(err)
	}
}
