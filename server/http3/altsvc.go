package http3

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// AltSvc wraps the handler of the server that has the same hosts over TCP: its responses
// over TLS name this server as an alternative (RFC 7838), as long as it serves. A field
// Alt-Svc that is there already stays as it is.
func (s *Server) AltSvc(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && r.ProtoMajor < 3 {
			if field := s.altSvc(); field != "" && w.Header().Get("Alt-Svc") == "" {
				w.Header().Set("Alt-Svc", field)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// altSvc is the field's value, "" if there is nothing to name.
func (s *Server) altSvc() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() || len(s.ports) == 0 {
		return ""
	}
	number := s.AltSvcPort
	if number == 0 {
		udp, ok := s.ports[0].conn.LocalAddr().(*net.UDPAddr)
		if !ok {
			return ""
		}
		number = udp.Port
	}
	age := s.AltSvcMaxAge
	if age == 0 {
		age = 24 * time.Hour
	}
	return fmt.Sprintf(`h3=":%d"; ma=%d`, number, int64(age/time.Second))
}
