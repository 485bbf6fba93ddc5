//go:build linux

package endurance

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// lookups is how many threads look up names now.
func lookups() (n int) {
	names, _ := filepath.Glob("/proc/self/task/*/comm")
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(b), "ratmom-dns-") {
			n++
		}
	}
	return n
}

func TestLookups_that_were_given_up_are_bounded(t *testing.T) {
	if !apart(t) {
		return
	}
	deadNameServer(t)
	const most = 8
	hello := testserver.Start(t, testserver.H1, testserver.Blob(34))
	_, port, err := net.SplitHostPort(hello.Addr)
	require.NoError(t, err)
	client := newClient(t, config.MaxAbandonedLookups(most), config.Resolve(map[string][]netip.Addr{
		"known.ratmom.test:" + port: {netip.MustParseAddr("127.0.0.1")},
	}))
	n := 0
	look := func() error {
		n++
		_, err := client.Send(request(t, patient(t), http.MethodGet, fmt.Sprintf("http://host%d.ratmom.test/", n)),
			config.Timeout(20*time.Millisecond))
		require.Error(t, err)
		return err
	}
	for range most {
		require.ErrorIs(t, look(), ratmom.ErrTimeout)
	}
	require.Equal(t, most, lookups())
	var worst time.Duration
	for range 50 {
		start := time.Now()
		err := look()
		worst = max(worst, time.Since(start))
		require.ErrorIs(t, err, ratmom.ErrNameResolution)
		require.ErrorContains(t, err, "config.MaxAbandonedLookups")
	}
	within(t, "the slowest of 50 refusals", 10*time.Millisecond, worst)
	require.Equal(t, most, lookups())

	for _, host := range []string{"127.0.0.1", "u:p@127.0.0.1", "known.ratmom.test", "localhost", "api.localhost", "LOCALHOST"} {
		resp, err := client.Send(request(t, patient(t), http.MethodGet, "http://"+host+":"+port+"/"), config.FreshConnection())
		require.NoError(t, err, host)
		require.NoError(t, resp.Discard())
	}

	// A proxy with an address looks names up itself, unless it is of the kinds that do not.
	to := func(proxy string) error {
		resp, err := client.Send(request(t, patient(t), http.MethodGet, "http://far.ratmom.test/"), config.Proxy(proxy))
		if err == nil {
			err = resp.Discard()
		}
		return err
	}
	socks := testserver.StartSOCKS(t, testserver.SOCKS{Hosts: map[string]string{"far.ratmom.test:80": hello.Addr}})
	require.NoError(t, to("http://"+hello.Addr))
	require.NoError(t, to("socks5h://"+socks.Addr))
	require.NoError(t, to("socks4a://"+socks.Addr))
	require.ErrorContains(t, to("http://proxy.ratmom.test:"+port), "MaxAbandonedLookups")
	require.ErrorContains(t, to("socks5://"+socks.Addr), "MaxAbandonedLookups")
	require.ErrorContains(t, to("socks4://"+socks.Addr), "MaxAbandonedLookups")

	// The system gives up, too, and then there is room again. No thread but those of
	// libcurl has kept the name.
	require.True(t, waitUntil(patience, func() bool { return lookups() == 0 }))
	require.True(t, waitUntil(patience, func() bool {
		_, err := client.Send(request(t, patient(t), http.MethodGet, "http://late.ratmom.test/"), config.Timeout(20*time.Millisecond))
		require.Error(t, err)
		return !strings.Contains(err.Error(), "MaxAbandonedLookups")
	}))
}

// Look-ups that somebody waits for do not count, however many they are, nor do those
// that have ended, however that was.
func TestLookups_that_are_waited_for_are_not_bounded(t *testing.T) {
	if !apart(t) {
		return
	}
	deadNameServer(t)
	overlay(t, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
	client := newClient(t, config.MaxAbandonedLookups(1))
	ctx, cancel := context.WithCancel(patient(t))
	defer cancel()
	var futures []*ratmom.Future
	for i := range 40 {
		futures = append(futures, client.SendAsync(request(t, ctx, http.MethodGet, fmt.Sprintf("http://host%d.ratmom.test/", i))))
	}
	require.True(t, waitUntil(patience, func() bool { return lookups() == 40 }), "%d", lookups())
	for _, f := range futures {
		_, err := f.Result()
		require.ErrorIs(t, err, ratmom.ErrNameResolution)
		require.NotContains(t, err.Error(), "MaxAbandonedLookups")
	}
	for range 3 { // all have ended
		_, err := client.Send(request(t, patient(t), http.MethodGet, "http://nobody.ratmom.test/"), config.Timeout(20*time.Millisecond))
		require.Error(t, err)
		require.True(t, waitUntil(patience, func() bool { return lookups() == 0 }))
		require.ErrorIs(t, err, ratmom.ErrTimeout)
	}
}
