package config

import (
	"fmt"
	"net/url"
	"os"
	"sync"

	"golang.org/x/net/http/httpproxy"
)

// proxyEnvironment is what the environment says about proxies.
type proxyEnvironment struct {
	hops map[string]*hop // by the text that httpproxy knows it by
	bad  map[string]error
	// choose is the rule with NO_PROXY, all without; nil if no proxy is named.
	choose, all func(*url.URL) (*url.URL, error)
}

var environment = sync.OnceValue(func() *proxyEnvironment { return readEnvironment(os.Getenv) })

// readEnvironment asks httpproxy for the rule only: each value is replaced by the
// name of its variable, since httpproxy silently drops one that it cannot parse.
func readEnvironment(getenv func(string) string) *proxyEnvironment {
	e := &proxyEnvironment{hops: map[string]*hop{}, bad: map[string]error{}}
	first := func(names ...string) (name, value string) {
		for _, n := range names {
			if v := getenv(n); v != "" {
				return n, v
			}
		}
		return "", ""
	}
	_, no := first("NO_PROXY", "no_proxy")
	c := httpproxy.Config{NoProxy: no}
	for into, names := range map[*string][]string{
		&c.HTTPProxy:  {"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"},
		&c.HTTPSProxy: {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"},
	} {
		name, value := first(names...)
		if value == "" {
			continue
		}
		h, err := parseProxy(value)
		if err != nil {
			e.bad[name] = fmt.Errorf("environment variable %s: %w", name, invalid("Proxy", maskProxy(value), "%v", err))
		}
		e.hops[name] = h
		// A CGI program gets the client's header field Proxy in this variable.
		c.CGI = c.CGI || name == "HTTP_PROXY" && getenv("REQUEST_METHOD") != ""
		*into = "http://" + name
	}
	if len(e.hops) > 0 {
		e.choose = c.ProxyFunc()
		c.NoProxy = ""
		e.all = c.ProxyFunc()
	}
	return e
}

// hopFor returns the proxy for u, nil for none. An option of the program's stands
// in for NO_PROXY if useNoProxy is false.
func (e *proxyEnvironment) hopFor(u *url.URL, useNoProxy bool) (*hop, error) {
	if e.choose == nil {
		return nil, nil
	}
	choose := e.choose
	if !useNoProxy {
		choose = e.all
	}
	p, err := choose(u)
	if p == nil || err != nil {
		return nil, err
	}
	return e.hops[p.Host], e.bad[p.Host]
}
