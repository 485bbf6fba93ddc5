// Package certs holds the certificates of a TLS server and takes new ones while it runs.
//
//	store, err := certs.Load(certs.Config{
//		Files:  []certs.Files{{Cert: "/etc/ssl/a.pem", Key: "/etc/ssl/a.key"}, {Cert: "/etc/ssl/b.pem", Key: "/etc/ssl/b.key"}},
//		Report: func(err error) { log.Print(err) },
//	})
//	go store.Watch(ctx, time.Minute, syscall.SIGHUP)
//	server := &http.Server{TLSConfig: store.TLSConfig(nil)}
//	err = server.ServeTLS(listener, "", "")
//
// A client gets the certificate for the name that it asks for (SNI). Files are read again
// by [Store.Watch], by its interval and signals, or by [Store.Reload]. New certificates
// are for handshakes from then on; connections stay as they are. A file that is broken
// changes nothing: what was there before goes on being served, and the error is reported.
package certs
