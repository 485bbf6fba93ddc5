package testserver

import (
	"encoding/base64"
	"fmt"
	"net/http"
)

// Basic lets requests with User and Password by Basic (RFC 7617) through to next
// and answers all others with 401.
func Basic(next http.Handler) http.Handler { return basic(serverAsks, next) }

func basic(a asker, next http.Handler) http.Handler {
	want := base64.StdEncoding.EncodeToString([]byte(User + ":" + Password))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, ok := a.given(r, "Basic"); ok && got == want {
			next.ServeHTTP(w, r)
			return
		}
		a.ask(w, fmt.Sprintf("Basic realm=%q, charset=\"UTF-8\"", realm))
	})
}
