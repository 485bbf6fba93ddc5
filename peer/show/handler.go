package show

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/ratmom/ratmom/peer"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"span": span}).Parse(pageText))

// format is one that the handler can write.
type format struct {
	name, media, contentType string
	write                    func(*bytes.Buffer, *peer.Map, int) error
}

// In the order in which they are preferred, so that curl gets the table.
var formats = []format{
	{"text", "text/plain", "text/plain; charset=utf-8", func(b *bytes.Buffer, m *peer.Map, most int) error {
		return Table(b, m.Snapshot(most))
	}},
	{"json", "application/json", "application/json", func(b *bytes.Buffer, m *peer.Map, most int) error {
		return json.NewEncoder(b).Encode(m.Snapshot(most))
	}},
	{"html", "text/html", "text/html; charset=utf-8", func(b *bytes.Buffer, m *peer.Map, most int) error {
		return page.Execute(b, m.Snapshot(most))
	}},
	{"metrics", "application/openmetrics-text", MetricsType, func(b *bytes.Buffer, m *peer.Map, _ int) error {
		return Metrics(b, m)
	}},
}

// Handler serves snapshots of the map: as a page, a table, JSON, or OpenMetrics, by the
// Accept of a GET, or by ?format=html, text, json or metrics. ?most= is how many of
// each kind are listed at the most, by default and not above [peer.DefaultSnapshot].
func Handler(m *peer.Map) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are served here", http.StatusMethodNotAllowed)
			return
		}
		f, most, problem := asked(r)
		if problem != "" {
			http.Error(w, problem, http.StatusBadRequest)
			return
		}
		var b bytes.Buffer
		if err := f.write(&b, m, most); err != nil {
			http.Error(w, "it could not be rendered", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.contentType)
		h.Set("Content-Length", strconv.Itoa(b.Len()))
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Accept")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		if r.Method == http.MethodGet {
			_, _ = w.Write(b.Bytes())
		}
	})
}

// asked is what a request asks for.
func asked(r *http.Request) (f format, most int, problem string) {
	q := r.URL.Query()
	if q.Has("most") {
		n, err := strconv.Atoi(q.Get("most"))
		if err != nil || n < 1 || n > peer.DefaultSnapshot {
			return f, 0, "most is not a number from 1 to " + strconv.Itoa(peer.DefaultSnapshot)
		}
		most = n
	}
	if q.Has("format") {
		for _, f := range formats {
			if f.name == q.Get("format") {
				return f, most, ""
			}
		}
		return f, 0, "format is html, text, json or metrics"
	}
	return negotiate(strings.Join(r.Header.Values("Accept"), ",")), most, ""
}

// negotiate chooses by an Accept (RFC 9110, section 12.5.1); what accepts none of the formats
// gets the table.
func negotiate(accept string) format {
	best, high := formats[0], 0.0
	for _, f := range formats {
		if q := quality(accept, f.media); q > high {
			best, high = f, q
		}
	}
	return best
}

// quality is what an Accept says of a media type: by the most specific range that
// names it, 0 if none does.
func quality(accept, media string) float64 {
	main, _, _ := strings.Cut(media, "/")
	quality, known := 0.0, 0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		specific := 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case media:
			specific = 3
		case main + "/*":
			specific = 2
		case "*/*":
			specific = 1
		}
		if specific <= known {
			continue
		}
		known, quality = specific, 1
		for param := range strings.SplitSeq(params, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			if !strings.EqualFold(key, "q") {
				continue
			}
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			quality = q
		}
	}
	return quality
}
