package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func (s timeout) curl(c *curlCommand) {
	if s.Duration > 0 {
		c.add("--max-time", fraction(s.Duration))
	}
}

func (s connectTimeout) curl(c *curlCommand) {
	if s.Duration > 0 {
		c.add("--connect-timeout", fraction(s.Duration))
	}
}

func (s lowSpeed) curl(c *curlCommand) {
	if s.d > 0 {
		c.add("--speed-limit", strconv.FormatInt(s.bytesPerSecond, 10), "--speed-time", whole(s.d))
	}
}

// curl's --limit-rate holds both directions to one speed.

func (s maxUploadSpeed) curl(c *curlCommand) {
	if down, _ := lookup[maxDownloadSpeed](c.config); s > 0 {
		if int64(down) == int64(s) {
			c.add("--limit-rate", strconv.FormatInt(int64(s), 10))
		} else {
			c.lacks("MaxUploadSpeed")
		}
	}
}

func (s maxDownloadSpeed) curl(c *curlCommand) {
	if up, _ := lookup[maxUploadSpeed](c.config); s > 0 && int64(up) != int64(s) {
		c.lacks("MaxDownloadSpeed")
	}
}

func (s expectContinue) curl(c *curlCommand) {
	if s.Duration > 0 {
		c.add("--expect100-timeout", fraction(s.Duration))
	}
}

func (s httpVersion) curl(c *curlCommand) {
	switch s.Version {
	case HTTP10:
		c.add("--http1.0")
	case HTTP11:
		c.add("--http1.1")
	case HTTP2:
		if c.target.url.Scheme == "https" { // for http it would ask for an upgrade
			c.add("--http2")
		}
	case HTTP2PriorKnowledge:
		c.add("--http2-prior-knowledge")
	case HTTP3:
		c.add("--http3")
	case HTTP3Only:
		c.add("--http3-only")
	}
}

func (s resolve) curl(c *curlCommand) {
	for _, key := range slices.Sorted(maps.Keys(s.hosts)) {
		var list []string
		for _, a := range s.hosts[key] {
			list = append(list, bracketed(a))
		}
		c.add("--resolve", key+":"+strings.Join(list, ","))
	}
}

func (s connectTo) curl(c *curlCommand) {
	for _, key := range s.keys() {
		c.add("--connect-to", withColon(key)+":"+withColon(s.hosts[key]))
	}
}

func (s unixSocket) curl(c *curlCommand) {
	switch {
	case s.path == "":
	case s.abstract:
		c.add("--abstract-unix-socket", s.path)
	default:
		c.add("--unix-socket", s.path)
	}
}

func (s localEnd) curl(c *curlCommand) {
	switch {
	case s.name != "":
		c.add("--interface", "if!"+s.name)
	case s.addr.IsValid():
		c.add("--interface", "host!"+s.addr.Unmap().String())
	}
}

func (s localPort) curl(c *curlCommand) {
	if s.first > 0 {
		c.add("--local-port", number(s.first)+"-"+number(s.first+s.count-1))
	}
}

func (s ipVersion) curl(c *curlCommand) {
	switch s.IPFamily {
	case IPv4:
		c.add("--ipv4")
	case IPv6:
		c.add("--ipv6")
	}
}

func (s tcpKeepAlive) curl(c *curlCommand) {
	if s.idle > 0 {
		c.add("--keepalive-time", whole(s.idle)) // the interval too
		if whole(s.idle) != whole(s.interval) {
			c.lacks("TCPKeepAlive's interval")
		}
	}
}

func (s tcpNoDelay) curl(c *curlCommand) {
	if !s {
		c.add("--no-tcp-nodelay")
	}
}

func (s tcpFastOpen) curl(c *curlCommand) {
	if s {
		c.add("--tcp-fastopen")
	}
}

func (s tcpKeepAliveCount) curl(c *curlCommand) {
	if s > 0 {
		c.add("--keepalive-cnt", number(int(s)))
	}
}

func (s typeOfService) curl(c *curlCommand) {
	if s != 0 {
		c.add("--ip-tos", number(int(s)))
	}
}

func (s happyEyeballsDelay) curl(c *curlCommand) {
	c.add("--happy-eyeballs-timeout-ms", milliseconds(s.Duration))
}

func (s haproxyProtocol) curl(c *curlCommand) {
	if ip, _ := lookup[haproxyClientIP](c.config); bool(s) && !ip.IsValid() {
		c.add("--haproxy-protocol")
	}
}

func (s haproxyClientIP) curl(c *curlCommand) {
	if s.IsValid() {
		c.add("--haproxy-clientip", s.Unmap().String())
	}
}

func (s dnsServers) curl(c *curlCommand) {
	if len(s.list) > 0 {
		c.add("--dns-servers", joinAddrs(s.list))
	}
}

func (s dnsInterface) curl(c *curlCommand) {
	if s != "" {
		c.add("--dns-interface", string(s))
	}
}

func (s dnsLocalAddress) curl(c *curlCommand) {
	if s.v4.IsValid() {
		c.add("--dns-ipv4-addr", s.v4.String())
	}
	if s.v6.IsValid() {
		c.add("--dns-ipv6-addr", s.v6.String())
	}
}

func (s allowHTTP09) curl(c *curlCommand) {
	if s {
		c.add("--http0.9")
	}
}

func (s ignoreContentLength) curl(c *curlCommand) {
	if s {
		c.add("--ignore-content-length")
	}
}

func (s transferCompression) curl(c *curlCommand) {
	if s {
		c.add("--tr-encoding")
	}
}

func (s transferDecoding) curl(c *curlCommand) {
	if !s {
		c.add("--raw")
	}
}

func (s disallowUserinfo) curl(c *curlCommand) {
	if s {
		c.add("--disallow-username-in-url")
	}
}

func (s maxBodyBytes) curl(c *curlCommand) {
	if s > 0 {
		c.add("--max-filesize", strconv.FormatInt(int64(s), 10))
	}
}

func (s headerOrder) curl(c *curlCommand) {
	if len(s.names) > 0 {
		c.lacks("HeaderOrder")
	}
}
