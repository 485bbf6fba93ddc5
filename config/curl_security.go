package config

import (
	"maps"
	"slices"
	"strings"
)

func (s credentials) curl(c *curlCommand, user, prefix string) {
	if s.schemes == 0 {
		return
	}
	switch s.schemes {
	case AuthBasic:
		c.add(prefix + "basic")
	case AuthDigest:
		c.add(prefix + "digest")
	case AuthNTLM:
		c.add(prefix + "ntlm")
	case AuthNegotiate:
		c.add(prefix+"negotiate", user, ":") // the name is in the ticket
		return
	case anySafeAuth(): // any, for curl, is Basic too
		if prefix != "--" {
			c.lacks("ProxyAnySafeAuth")
			return
		}
		c.add("--digest")
		if s.schemes&AuthNTLM != 0 {
			c.add("--ntlm")
		}
		if s.schemes&AuthNegotiate != 0 {
			c.add("--negotiate")
		}
	default:
		c.add(prefix + "anyauth")
	}
	if c.secrets {
		c.add(user, s.user+":"+s.password)
	} else {
		c.add(user, maskText+":"+maskText) // without a password curl would ask for one
	}
}

func (s auth) curl(c *curlCommand) {
	switch s.schemes {
	case AuthBearer:
		c.secret("--oauth2-bearer", s.token)
	case AuthAWSSigV4:
		c.add("--aws-sigv4", s.aws.Provider+":"+s.aws.Region+":"+s.aws.Service)
		c.secret("--user", s.aws.AccessKeyID+":"+s.aws.SecretAccessKey)
		if s.aws.SessionToken != "" {
			c.add("--header", CurlHeader("X-Amz-Security-Token", s.aws.SessionToken, c.secrets))
		}
	default:
		s.credentials.curl(c, "--user", "--")
	}
}

func (s serviceName) curl(c *curlCommand) { c.add("--service-name", string(s)) }

func (s proxyServiceName) curl(c *curlCommand) {
	if c.target.proxy != nil {
		c.add("--proxy-service-name", string(s))
	}
}

func (s delegation) curl(c *curlCommand) {
	switch s.Delegation {
	case DelegationByPolicy:
		c.add("--delegation", "policy")
	case DelegationAlways:
		c.add("--delegation", "always")
	}
}

func (s netrc) curl(c *curlCommand) {
	if s.path == "" {
		c.add("--netrc-optional")
	} else {
		c.add("--netrc-file", s.path)
	}
}

func (s proxyAuth) curl(c *curlCommand) {
	if c.target.proxy != nil {
		s.credentials.curl(c, "--proxy-user", "--proxy-")
	}
}

func (s proxy) curl(c *curlCommand) {
	p := c.target.proxy
	if p == nil {
		if s.env == nil || s.env.choose != nil {
			c.add("--noproxy", "*") // whatever the environment says where curl runs
		}
		return
	}
	c.add("--proxy", p.scheme+"://"+p.host)
	if s.env == nil {
		c.add("--noproxy", "") // whatever NO_PROXY says there
	}
	if a, _ := lookup[proxyAuth](c.config); a.schemes == 0 {
		p.credentials.curl(c, "--proxy-user", "--proxy-")
	}
	if p.scheme == "socks5" || p.scheme == "socks5h" {
		c.add("--socks5-basic")
	}
}

// The exceptions have had their say in whether there is a proxy.
func (s noProxy) curl(*curlCommand) {}

func (s proxyHeaders) curl(c *curlCommand) {
	if c.target.proxy == nil || !c.config.tunnels(c.target.url) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.h)) {
		for _, v := range s.h[name] {
			c.add("--proxy-header", CurlHeader(name, v, c.secrets))
		}
	}
}

// CurlHeader is a header field as curl's --header takes it. Values of fields that hold secrets
// are masked unless these are asked for.
func CurlHeader(name, value string, secrets bool) string {
	switch {
	case value == "":
		return name + ";"
	case !secrets && secretField.MatchString(name+":"):
		return name + ": " + maskText
	}
	return name + ": " + value
}

// escapeColon writes a file name for --cert, where a password may stand behind a colon.
func escapeColon(name string) string {
	var b []byte
	for i := range len(name) {
		if name[i] == ':' || name[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, name[i])
	}
	return string(b)
}

func (s preProxy) curl(c *curlCommand) {
	if s.hop == nil || c.target.proxy == nil {
		return
	}
	c.add("--preproxy", s.hop.scheme+"://"+s.hop.host)
	if strings.HasPrefix(s.hop.scheme, "socks5") {
		c.add("--socks5-basic")
	}
}

func (s proxyTunnel) curl(c *curlCommand) {
	if bool(s) && c.target.proxy != nil {
		c.add("--proxytunnel")
	}
}

func (s proxyHTTP2) curl(c *curlCommand) {
	if p := c.target.proxy; bool(s) && p != nil && p.scheme == "https" {
		c.add("--proxy-http2")
	}
}
