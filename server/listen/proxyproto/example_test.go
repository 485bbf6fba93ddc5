package proxyproto_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"

	"github.com/ratmom/ratmom/server/listen/proxyproto"
)

func ExampleListen() {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	l, err := proxyproto.Listen(tcp, proxyproto.Config{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	balancer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer balancer.Close()
	fmt.Fprint(balancer, "PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\nhello")

	c, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	said := make([]byte, 5)
	if _, err := io.ReadFull(c, said); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s says %s to %s\n", c.RemoteAddr(), said, c.LocalAddr())
	// Output: 192.0.2.1:50000 says hello to 198.51.100.1:443
}
