package testserver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProxy_forwards_tunnels_and_asks_for_credentials(t *testing.T) {
	plain := Start(t, H1, Blob(5))
	secure := Start(t, HTTPS1, Blob(5))
	for _, auth := range []Auth{NoAuth, BasicAuth, DigestAuth, NTLMAuth} {
		for _, options := range [][]Option{nil, {WithTLS()}} {
			p := StartProxy(t, Proxy{Auth: auth, Hosts: map[string]string{"nowhere.test:80": plain.Addr}}, options...)
			args := []string{"--cacert", secure.CAFile, "--proxy-cacert", secure.CAFile, "-x", p.URL}
			if auth != NoAuth {
				assert.Equal(t, "407/1", codes(t, append(args, plain.URL)...))
				args = append(args, "--proxy-"+strings.ToLower(string(auth)), "-U", credentials)
			}
			assert.Equal(t, "200/1", codes(t, append(args, plain.URL)...), "%s", auth)
			assert.Equal(t, "200/1", codes(t, append(args, secure.URL)...), "%s", auth)
			assert.Equal(t, "200/1", codes(t, append(args, "http://nowhere.test/")...), "%s", auth)
			all := p.Requests()
			last := all[len(all)-1]
			assert.Equal(t, "http://nowhere.test/", last.RequestURI)
			if auth == NTLMAuth {
				assert.Equal(t, 3, p.NTLM.Handshakes())
			}
		}
	}
}

func TestProxy_fails_as_told(t *testing.T) {
	secure := Start(t, HTTPS1, Blob(1<<20))
	fetch := func(p Proxy, more ...string) string {
		t.Helper()
		server := StartProxy(t, p)
		args := append([]string{"-k", "-x", server.URL, "-o", "/dev/null", "-w", "%{http_connect} %{exitcode}"}, more...)
		return curlFails(t, append(args, secure.URL)...)
	}
	assert.Contains(t, fetch(Proxy{Refuse: func(*http.Request) int { return 403 }}), "403 56")
	assert.Contains(t, fetch(Proxy{Hosts: map[string]string{secure.Addr: "127.0.0.1:1"}}), "502 56")
	assert.Contains(t, fetch(Proxy{ConnectReply: "garbage\r\n\r\n"}), "000 56")
	assert.Contains(t, fetch(Proxy{ConnectReply: "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\n"}), "200 0")
	assert.Contains(t, fetch(Proxy{CutAfter: 10_000}), "200 56")
	assert.Contains(t, fetch(Proxy{ConnectHang: true}, "--max-time", "0.3"), "28")
}

func TestSOCKS_forwards_for_every_version(t *testing.T) {
	s := Start(t, H1, Blob(5))
	v6 := Start(t, H1, Blob(6), OnIPv6())
	p := StartSOCKS(t, SOCKS{Hosts: map[string]string{"nowhere.test:80": s.Addr}})
	assert.Len(t, curl(t, "-x", "socks4://"+p.Addr, s.URL), 5)
	assert.Len(t, curl(t, "-x", "socks4a://"+p.Addr, "http://nowhere.test/"), 5)
	assert.Len(t, curl(t, "-x", "socks5://"+p.Addr, s.URL), 5)
	assert.Len(t, curl(t, "-x", "socks5h://"+p.Addr, "http://nowhere.test/"), 5)
	assert.Len(t, curl(t, "-x", "socks5://"+p.Addr, v6.URL), 6)
	assert.Equal(t, []SOCKSRequest{
		{Version: 4, Target: s.Addr},
		{Version: 4, Target: "nowhere.test:80", ByName: true},
		{Version: 5, Target: s.Addr},
		{Version: 5, Target: "nowhere.test:80", ByName: true},
		{Version: 5, Target: v6.Addr},
	}, p.Targets())
	assert.True(t, p.WaitClosed(soon))
}

func TestSOCKS_refuses_whom_it_does_not_know_and_what_it_is_told_to(t *testing.T) {
	s := Start(t, H1, Blob(5))
	p := StartSOCKS(t, SOCKS{Credentials: true})
	assert.Len(t, curl(t, "-x", "socks5h://"+p.Addr, "-U", credentials, s.URL), 5)
	require.Len(t, p.Targets(), 1)
	assert.Equal(t, SOCKSRequest{Version: 5, Target: s.Addr, User: User, Password: Password}, p.Targets()[0])
	assert.Contains(t, curlFails(t, "-w", "%{exitcode}", "-x", "socks5://"+p.Addr, "-U", User+":x", s.URL), "97")
	assert.Contains(t, curlFails(t, "-w", "%{exitcode}", "-x", "socks5://"+p.Addr, s.URL), "97")

	p = StartSOCKS(t, SOCKS{Refuse: 2})
	assert.Contains(t, curlFails(t, "-w", "%{exitcode}", "-x", "socks5://"+p.Addr, s.URL), "97")
	p = StartSOCKS(t, SOCKS{Hang: true})
	assert.Contains(t, curlFails(t, "-w", "%{exitcode}", "-x", "socks5://"+p.Addr, "--max-time", "0.3", s.URL), "28")
	assert.True(t, p.WaitClosed(soon))
}
