package ratmom_test

import (
	"bufio"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

func ExampleResponse() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site + "/events")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body) // reads events as they come
	for lines.Scan() {
		if line := lines.Text(); line != "" {
			fmt.Println(line)
			break
		}
	}
	// Output: id: 1
}

func ExampleResponse_JSON() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site + "/json")
	if err != nil {
		log.Fatal(err)
	}
	var v struct{ Words []string }
	err = resp.JSON(&v)
	fmt.Println(v.Words, err)
	// Output: [client agent future] <nil>
}

func ExampleResponse_Text() {
	latin1 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=iso-8859-1")
		_, _ = w.Write([]byte("caf\xe9"))
	}))
	defer latin1.Close()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(latin1.URL)
	if err != nil {
		log.Fatal(err)
	}
	text, err := resp.Text()
	fmt.Println(text, err)
	// Output: café <nil>
}

func ExampleResponse_SaveFile() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	dir, err := os.MkdirTemp("", "ratmom")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	resp, err := client.Get(site + "/bytes/1000000")
	if err != nil {
		log.Fatal(err)
	}
	n, err := resp.SaveFile(filepath.Join(dir, "file")) // there when complete, or not at all
	fmt.Println(n, err)
	// Output: 1000000 <nil>
}

func ExampleResponse_CopyTo() {
	site, stop := startSite()
	defer stop()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(site + "/page/3")
	if err != nil {
		log.Fatal(err)
	}
	n, err := resp.CopyTo(os.Stdout)
	fmt.Println(n, err)
	// Output:
	// This is page 3.
	// 16 <nil>
}

func ExampleResponse_Metrics() {
	site, stop := startSite()
	defer stop()

	client, err := ratmom.New(config.Metrics(true))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for range 2 {
		resp, err := client.Get(site + "/bytes/1000")
		if err != nil {
			log.Fatal(err)
		}
		if err := resp.Discard(); err != nil { // they are there at the end
			log.Fatal(err)
		}
		m, ok := resp.Metrics()
		fmt.Println(ok, m.HTTPVersion, m.Received, m.ConnectionReused, m.Total >= m.FirstByte)
	}
	// Output:
	// true 1.1 1000 false true
	// true 1.1 1000 true true
}

func ExampleResponse_Trailers() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Checksum")
		_, _ = w.Write([]byte("hello"))
		w.Header().Set("Checksum", "5d41402a")
	}))
	defer s.Close()
	client, err := ratmom.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Get(s.URL)
	if err != nil {
		log.Fatal(err)
	}
	err = resp.Discard()
	fmt.Println(resp.Trailers().Get("Checksum"), err)
	// Output: 5d41402a <nil>
}
