package testserver

import (
	"io"
	"net/http"
	"strings"
)

// asker is the side that asks for credentials: a server or a proxy.
type asker struct {
	status         int
	asks, answered string // header names
}

var (
	serverAsks = asker{http.StatusUnauthorized, "WWW-Authenticate", "Authorization"}
	proxyAsks  = asker{http.StatusProxyAuthRequired, "Proxy-Authenticate", "Proxy-Authorization"}
)

// ask answers with challenges and a short body that is not the real one.
func (a asker) ask(w http.ResponseWriter, challenges ...string) {
	for _, c := range challenges {
		w.Header().Add(a.asks, c)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, "credentials, please\n")
}

// given is what the client sent for a scheme.
func (a asker) given(r *http.Request, scheme string) (string, bool) {
	for _, v := range r.Header.Values(a.answered) {
		name, rest, _ := strings.Cut(v, " ")
		if strings.EqualFold(name, scheme) {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// connKey tells connections apart, also on servers of others.
func connKey(r *http.Request) any {
	if c := r.Context().Value(connNumberKey{}); c != nil {
		return c
	}
	return r.RemoteAddr
}
