package endurance

import (
	"io"
	"net/http"
)

// silence never answers /silent and sends nothing behind the head of /head; it
// tells when these began and when they were over. All else is greeted.
func silence(began, gone chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/silent":
		case "/head":
			w.(http.Flusher).Flush()
		default:
			_, _ = io.WriteString(w, "hello")
			return
		}
		began <- struct{}{}
		<-r.Context().Done()
		gone <- struct{}{}
	})
}
