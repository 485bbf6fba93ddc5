package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// ConnectTo makes requests for one host and port connect to another: the key is
// "host:port" of the URL, where either can be empty for any ("" for all requests),
// the value where to connect, either of it empty for no change. The URL,
// certificates and the Host header stay as they are. The most particular key
// counts. Given again it replaces what was there; an empty map switches it off.
//
// Default: none. IPv6 addresses stand in brackets. CURLOPT_CONNECT_TO.
func ConnectTo(hosts map[string]string) Option { return both(connectTo{maps.Clone(hosts)}) }

type connectTo struct{ hosts map[string]string }

func (s connectTo) validate() error {
	for _, key := range s.keys() {
		for _, side := range []string{key, s.hosts[key]} {
			host, port := cutPort(side)
			if side != "" && port == "" && len(host) == len(side) {
				return invalid("ConnectTo", side, "has no port: write it as host:port, host: or :port")
			}
			if host != "" {
				if err := checkNameOrAddr(host); err != nil {
					return invalid("ConnectTo", side, "%v", err)
				}
			}
			if port != "" {
				if err := checkPort(port); err != nil {
					return invalid("ConnectTo", side, "%v", err)
				}
			}
		}
	}
	return nil
}

// keys returns the keys, the most particular first: libcurl takes the first that
// fits.
func (s connectTo) keys() []string {
	rank := func(key string) int {
		host, port := cutPort(key)
		n := 0
		if host == "" {
			n += 2
		}
		if port == "" {
			n++
		}
		return n
	}
	return slices.SortedFunc(maps.Keys(s.hosts), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

func (s connectTo) encode(o *cgo.Options) {
	if len(s.hosts) == 0 {
		return
	}
	l := o.BeginList(cgo.OptConnectTo)
	for _, key := range s.keys() {
		l.Add(withColon(key), ":", withColon(s.hosts[key]))
	}
	l.End()
}

// of is where requests for host and port connect to; host has no brackets.
func (s connectTo) of(host, port string) (string, string) {
	for _, key := range s.keys() {
		h, p := cutPort(key)
		if h != "" && !strings.EqualFold(strings.Trim(h, "[]"), host) || p != "" && p != port {
			continue
		}
		to, at := cutPort(s.hosts[key])
		if to == "" && at == "" {
			continue
		}
		return cmp.Or(strings.Trim(to, "[]"), host), cmp.Or(at, port)
	}
	return host, port
}

func withColon(s string) string {
	if s == "" {
		return ":"
	}
	return s
}
