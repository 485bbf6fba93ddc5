package resolve_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/ratmom/ratmom/peer/resolve"
)

func ExampleCache() {
	list, err := resolve.Static(
		resolve.Endpoint{Addr: netip.MustParseAddrPort("192.0.2.1:443"), Weight: 3, Zone: "west"},
		resolve.Endpoint{Addr: netip.MustParseAddrPort("192.0.2.2:443"), Weight: 1, Zone: "east"},
		resolve.Endpoint{Addr: netip.MustParseAddrPort("192.0.2.9:443"), Priority: 1, Weight: 1},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	names := &resolve.Cache{Resolver: list, MaxTTL: time.Hour}
	defer names.Close()
	answer, err := names.Resolve(context.Background(), resolve.Name{Scheme: "https", Host: "example.org"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range answer.Endpoints {
		fmt.Println(e.Addr, e.Priority, e.Weight, e.Zone)
	}
	// Output:
	// 192.0.2.1:443 0 3 west
	// 192.0.2.2:443 0 1 east
	// 192.0.2.9:443 1 1
}

func ExampleDNS() {
	names := &resolve.Cache{Resolver: &resolve.DNS{}}
	defer names.Close()
	answer, err := names.Resolve(context.Background(), resolve.Name{Scheme: "https", Host: "localhost", Port: 8443})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Endpoints[0].Addr)
	// Output: 127.0.0.1:8443
}
