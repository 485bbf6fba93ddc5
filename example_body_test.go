package ratmom_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
)

// progressBar is where a program shows how far it is.
type progressBar struct{ sent, total int64 }

func (p *progressBar) Set(sent, total int64) { p.sent, p.total = sent, total }

func ExampleNewRequest() {
	var bar progressBar
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, _, err := r.FormFile("picture")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b, _ := io.ReadAll(f)
		_, _ = fmt.Fprint(w, r.FormValue("title"), " ", len(b))
	}))
	defer server.Close()
	site, ctx := server.URL, context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cat.png")
	if err := os.WriteFile(path, make([]byte, 100_000), 0o600); err != nil {
		log.Fatal(err)
	}
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	form := body.Multipart( // streams; body.JSON, body.Form and body.File make other bodies
		body.Field("title", "cat"),
		body.FileField("picture", path))
	req, err := ratmom.NewRequest(ctx, "POST", site+"/upload", form)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Send(req, config.UploadProgress(func(sent, total int64) {
		bar.Set(sent, total)
	}))
	if err != nil {
		log.Fatal(err)
	}
	text, err := resp.Text()
	fmt.Println(text, err, bar.sent == bar.total)
	// Output: cat 100000 <nil> true
}

func ExampleClient_Download() {
	site, stop := startSite()
	defer stop()
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	req, err := http.NewRequestWithContext(ctx, "GET", site+"/bytes/1000000", nil)
	if err != nil {
		log.Fatal(err)
	}
	// Called again after a failure, it goes on where it broke off.
	n, err := client.Download(req, filepath.Join(dir, "file"))
	fmt.Println(n, err)
	// Output: 1000000 <nil>
}
