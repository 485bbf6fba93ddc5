package serve

import (
	"io"
	"net/http"
	"runtime/debug"
)

// GCPath makes a server in Go give back the memory that it does not use, so that what it has is what it needs.
const GCPath = "/gc"

// SmallHandler answers with a small body, as nginx does in the same rows.
func SmallHandler(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == GCPath {
		debug.FreeOSMemory()
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, Small)
}
