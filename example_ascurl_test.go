package ratmom_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

func ExampleAsCurl() {
	req, _ := http.NewRequest("POST", "https://site.example/items", strings.NewReader(`{"name": "it's"}`))
	req.Header.Set("Authorization", "Bearer secret")
	req.Header.Set("Content-Type", "application/json")
	command, err := ratmom.AsCurl(req, config.UserAgent("me"), config.NoRedirect(), config.Decompression(false), config.Proxy("socks5h://proxy.example"))
	fmt.Println(command, err)
	// Output:
	// curl --proxy socks5h://proxy.example:1080 --noproxy '' --socks5-basic --tlsv1.2 --request POST --data-raw '{"name": "it'\''s"}' --header Expect: --user-agent me --header 'Authorization: xxxxx' --header 'Content-Type: application/json' https://site.example/items <nil>
}
