package cookie_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ratmom/ratmom/cookie"
)

func Example() {
	file := filepath.Join(os.TempDir(), "ratmom-example-cookies.txt")
	defer os.Remove(file)
	u := &url.URL{Scheme: "https", Host: "www.site.example", Path: "/shop/"}

	jar := new(cookie.Jar)
	jar.SetCookieHeaders(u, []string{"lang=en; Path=/; Domain=site.example", "cart=17; HttpOnly"})
	fmt.Println(jar.Set(u, "everywhere=1; Domain=example"))
	if err := jar.SaveFile(file, cookie.Netscape); err != nil {
		fmt.Println(err)
	}

	later := new(cookie.Jar)
	if err := later.LoadFile(file, cookie.Netscape); err != nil {
		fmt.Println(err)
	}
	fmt.Println(later.CookieHeader(u))
	for _, c := range later.All() {
		fmt.Println(c) // without its value
	}
	// Output:
	// cookie rejected: the domain "example" is a public suffix
	// cart=17; lang=en
	// lang=xxxxx; .site.example/
	// cart=xxxxx; www.site.example/shop
}
