package demo

import (
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed index.txt
var index string

func pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.HandleFunc("GET /json", object)
	mux.HandleFunc("GET /page/{n}", page)
	mux.HandleFunc("GET /bytes/{n}", bytes)
	mux.HandleFunc("GET /events", events)
	mux.HandleFunc("GET /silence", silence)
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/upload", upload)
	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/redirect/{n}", redirect)
	return mux
}

func home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, index)
}

func object(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"name":"ratmom","words":["client","agent","future"]}`+"\n")
}

// page answers after up to 100 ms, so that pages do not come in the order they
// were asked for.
func page(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	select {
	case <-time.After(time.Duration(n*37%101) * time.Millisecond):
		_, _ = fmt.Fprintf(w, "This is page %d.\n", n)
	case <-r.Context().Done():
	}
}

// bytes sends n bytes; ?rate=R sends about R of them per second.
func bytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	rate, rateErr := strconv.Atoi(r.FormValue("rate"))
	if err != nil || n < 0 || r.Form.Has("rate") && (rateErr != nil || rate < 1) {
		http.Error(w, "not a number of bytes", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	size := int64(len(text) - len(line))
	if rate > 0 {
		size = min(size, max(int64(rate)/20, 1))
	}
	tick := time.NewTicker(time.Second / 20)
	defer tick.Stop()
	flush := http.NewResponseController(w).Flush
	for sent := int64(0); sent < n; {
		from := sent % int64(len(line))
		m, err := io.WriteString(w, text[from:from+min(size, n-sent)])
		if err != nil {
			return
		}
		sent += int64(m)
		if rate == 0 {
			continue
		}
		_ = flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

const line = "All work and no play makes the agent a dull goroutine. 123456789\n"

var text = strings.Repeat(line, 1<<14) // 1 MiB

// events are five server-sent events, a moment apart.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	_ = flush()
	for i := 1; i <= 5; i++ {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
		_, _ = fmt.Fprintf(w, "id: %d\nevent: tick\ndata: tick %d of 5\n\n", i, i)
		_ = flush()
	}
}

// silence never answers, not even when the server closes: a handler that returns does.
func silence(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// echo answers with the request as it came.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"method": r.Method, "url": r.URL.String(), "proto": r.Proto, "host": r.Host,
		"header": r.Header, "body": string(body),
	})
}

// upload answers with the length and SHA-256 of what it was sent.
func upload(w http.ResponseWriter, r *http.Request) {
	hash := sha256.New()
	n, err := io.Copy(hash, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = fmt.Fprintf(w, "%d bytes, sha256 %x\n", n, hash.Sum(nil))
}

func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "not a status", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
	if code != http.StatusNoContent && code != http.StatusNotModified {
		_, _ = fmt.Fprintf(w, "%d %s\n", code, http.StatusText(code))
	}
}

// redirect leads home in n steps.
func redirect(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if n <= 1 {
		http.Redirect(w, r, "/", http.StatusFound)
		return
	}
	http.Redirect(w, r, "/redirect/"+strconv.Itoa(n-1), http.StatusFound)
}
