package testserver

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Blob serves a [Pattern] of n bytes with its length.
func Blob(n int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		if r.Method != http.MethodHead {
			_, _ = Pattern(n).WriteTo(w)
		}
	})
}

// Echo answers with the request's body as it comes, and its method and content
// type as X-Method and Content-Type.
func Echo() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // no more than HTTP/1.1 needs
		w.Header().Set("X-Method", r.Method)
		if t := r.Header.Get("Content-Type"); t != "" {
			w.Header().Set("Content-Type", t)
		}
		w.WriteHeader(http.StatusOK)
		_, _ = io.Copy(flushing{w}, r.Body)
	})
}

// Who answers with the common name of the certificate that the client has shown, or with "nobody". The
// server has to ask for one: [AsksWho].
func Who() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if shown := r.TLS.PeerCertificates; len(shown) > 0 {
			name = shown[0].Subject.CommonName
		}
		_, _ = io.WriteString(w, name)
	})
}

// Sink reads a body that should be a [Pattern] and answers with its length, or
// with 400 and what is wrong.
func Sink() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := CheckPattern(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprint(w, n)
	})
}

// SlowSink is Sink, but reads at most size bytes for each pass of gate.
func SlowSink(gate *Gate, size int) http.Handler {
	sink := Sink()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = io.NopCloser(GatedReader(r.Context(), gate, r.Body, size))
		sink.ServeHTTP(w, r)
	})
}

// Hold lets handler answer each request when gate lets it.
func Hold(gate *Gate, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gate.Wait(r.Context()) == nil {
			handler.ServeHTTP(w, r)
		}
	})
}

// Drip sends the head at once and then one piece for each pass of gate; with no
// pieces the body stays open until the gate lets it end.
func Drip(gate *Gate, pieces ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for _, piece := range pieces {
			if gate.Wait(r.Context()) != nil {
				panic(http.ErrAbortHandler)
			}
			if _, err := io.WriteString(flushing{w}, piece); err != nil {
				return
			}
		}
		if len(pieces) == 0 && gate.Wait(r.Context()) != nil {
			panic(http.ErrAbortHandler)
		}
	})
}

// Silence never answers: it waits for the client to go away.
func Silence() http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // to return would be an answer
	})
}

// flushing sends every write at once.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	if err == nil {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return n, err
}

// TellConn answers with the [ConnNumber] of the request; at /long the end of the answer waits for the gate.
func TellConn(gate <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, ConnNumber(r))
		if r.URL.Path == "/long" {
			_ = http.NewResponseController(w).Flush()
			<-gate
		}
	})
}
