package http

import (
	"context"
	"net"
)

// SuiteServer, if there is one, does the work of every Server that is its own.
var SuiteServer interface {
	Owns(s *Server) bool
	Serve(s *Server, l net.Listener) error
	ServeTLS(s *Server, l net.Listener, certFile, keyFile string) error
	ListenAndServe(s *Server) error
	ListenAndServeTLS(s *Server, certFile, keyFile string) error
	Close(s *Server) error
	Shutdown(s *Server, ctx context.Context) error
	SetKeepAlivesEnabled(s *Server, on bool)
	RegisterOnShutdown(s *Server, f func())
	States(s *Server) map[ConnState]int
}

func suiteOwns(s *Server) bool { return SuiteServer != nil && SuiteServer.Owns(s) }

// SuiteServes calls the tests' own hook.
func SuiteServes(s *Server, l net.Listener) {
	if f := testHookServerServe; f != nil {
		f(s, l)
	}
}

func suiteAllIdle(s *Server) bool {
	for state := range SuiteServer.States(s) {
		if state != StateIdle {
			return false
		}
	}
	return true
}
