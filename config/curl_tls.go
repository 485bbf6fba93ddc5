package config

import (
	"crypto/tls"
	"strings"
	"time"
)

// A curlEnder is a curler whose arguments curl has for a server and, with another beginning,
// for an https proxy.
type curlEnder interface {
	curler
	curlEnd(c *curlCommand, prefix string)
}

const (
	forServer = "--"
	forProxy  = "--proxy-"
)

// end adds the arguments of e for the server, if TLS is spoken with it.
func (c *curlCommand) end(e curlEnder) {
	if c.target.url.Scheme == "https" {
		e.curlEnd(c, forServer)
	}
}

// tlsProxy reports whether the request goes through a proxy that speaks TLS.
func (c *curlCommand) tlsProxy() bool {
	return c.target.proxy != nil && c.target.proxy.scheme == "https"
}

func (s proxyTLS) curl(c *curlCommand) {
	if !c.tlsProxy() {
		return
	}
	for _, x := range s.set {
		if e, ok := x.(curlEnder); ok {
			e.curlEnd(c, forProxy)
		}
	}
}

func (s trust) curl(c *curlCommand) {
	c.end(s)
	if own, _ := lookup[proxyTLS](c.config); c.tlsProxy() {
		if _, has := find[trust](own.set); !has {
			s.curlEnd(c, forProxy)
		}
	}
}

func (s trust) curlEnd(c *curlCommand, prefix string) {
	switch {
	case s.isDir:
		c.add(prefix+"capath", s.dir)
	case s.file != "":
		c.add(prefix+"cacert", s.file)
	case s.pem != nil:
		c.lacks("CABytes")
	}
}

func (s clientCertificate) curl(c *curlCommand) { c.end(s) }

func (s clientCertificate) curlEnd(c *curlCommand, prefix string) {
	if s.cert != nil {
		c.lacks("ClientCertificateBytes")
	}
	if s.certFile == "" {
		return
	}
	c.add(prefix+"cert", escapeColon(s.certFile))
	if s.certFormat != "" {
		c.add(prefix+"cert-type", string(s.certFormat))
	}
	if s.keyFile != "" {
		c.add(prefix+"key", s.keyFile)
		if s.keyFormat != "" {
			c.add(prefix+"key-type", string(s.keyFormat))
		}
	}
}

func (s clientCertificatePassword) curl(c *curlCommand) { c.end(s) }

func (s clientCertificatePassword) curlEnd(c *curlCommand, prefix string) {
	if s != "" {
		c.secret(prefix+"pass", string(s))
	}
}

func (s crlFile) curl(c *curlCommand) { c.end(s) }

func (s crlFile) curlEnd(c *curlCommand, prefix string) {
	if s != "" {
		c.add(prefix+"crlfile", string(s))
	}
}

func (s pinnedPublicKey) curl(c *curlCommand) { c.end(s) }

func (s pinnedPublicKey) curlEnd(c *curlCommand, prefix string) {
	if s.pins != "" {
		c.add(prefix+"pinnedpubkey", s.pins)
	}
}

func (s tlsCiphers) curl(c *curlCommand) { c.end(s) }

func (s tlsCiphers) curlEnd(c *curlCommand, prefix string) {
	if len(s.tlsNames) > 0 {
		c.add(prefix+"ciphers", s.join())
	}
}

func (s tls13Ciphers) curl(c *curlCommand) { c.end(s) }

func (s tls13Ciphers) curlEnd(c *curlCommand, prefix string) {
	if len(s.tlsNames) > 0 {
		c.add(prefix+"tls13-ciphers", s.join())
	}
}

func (s tlsSRP) curl(c *curlCommand) { c.end(s) }

func (s tlsSRP) curlEnd(c *curlCommand, prefix string) {
	if s.user != "" {
		c.secret(prefix+"tlsuser", s.user)
		c.secret(prefix+"tlspassword", s.password)
	}
}

var curlTLSVersions = map[uint16]string{
	tls.VersionTLS10: "1.0", tls.VersionTLS11: "1.1", tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3",
}

func (s tlsVersions) curl(c *curlCommand) { c.end(s) }

func (s tlsVersions) curlEnd(c *curlCommand, prefix string) {
	low, high := s.numbers()
	if prefix == forProxy {
		c.lacks("ProxyTLS's versions")
		return
	}
	if low != 0 {
		c.add("--tlsv" + curlTLSVersions[low])
	}
	if high != 0 {
		c.add("--tls-max", curlTLSVersions[high])
	}
}

// curl's --insecure takes any certificate and any name.

func (s dangerAcceptInvalidCertificates) curl(c *curlCommand) { c.end(s) }

func (s dangerAcceptInvalidCertificates) curlEnd(c *curlCommand, prefix string) {
	if s {
		c.add(prefix + "insecure")
	}
}

func (s dangerAcceptInvalidHostnames) curl(c *curlCommand) {
	if certificates, _ := lookup[dangerAcceptInvalidCertificates](c.config); !certificates {
		c.end(s)
	}
}

func (s dangerAcceptInvalidHostnames) curlEnd(c *curlCommand, _ string) {
	if s {
		c.lacks("DangerAcceptInvalidHostnames")
	}
}

func (s issuerCertificate) curl(c *curlCommand) { c.end(s) }

func (s issuerCertificate) curlEnd(c *curlCommand, _ string) {
	if s.file != "" || s.pem != nil {
		c.lacks("IssuerCertificate")
	}
}

// The others are for servers alone.

// https adds arguments if on is set and the server speaks TLS.
func (c *curlCommand) https(on bool, args ...string) {
	if on && c.target.url.Scheme == "https" {
		c.add(args...)
	}
}

func (s tlsCurves) curl(c *curlCommand) { c.https(len(s.tlsNames) > 0, "--curves", s.join()) }

func (s tlsSignatureAlgorithms) curl(c *curlCommand) {
	c.https(len(s.tlsNames) > 0, "--sigalgs", s.join())
}

func (s alpn) curl(c *curlCommand)            { c.https(!bool(s), "--no-alpn") }
func (s ocspStapling) curl(c *curlCommand)    { c.https(bool(s), "--cert-status") }
func (s tlsFalseStart) curl(c *curlCommand)   { c.https(bool(s), "--false-start") }
func (s tlsSessionReuse) curl(c *curlCommand) { c.https(!bool(s), "--no-sessionid") }
func (s ech) curl(c *curlCommand)             { c.https(s.ECHMode != ECHOff, "--ech", s.ECHMode.String()) }

func (s doh) curl(c *curlCommand) {
	if s != "" {
		c.add("--doh-url", string(s))
	}
}

func (s dangerDoHAcceptInvalidCertificates) curl(c *curlCommand) {
	if s {
		c.add("--doh-insecure")
	}
}

func (s dangerDoHAcceptInvalidHostnames) curl(c *curlCommand) {
	if certificates, _ := lookup[dangerDoHAcceptInvalidCertificates](c.config); bool(s) && !bool(certificates) {
		c.lacks("DangerDoHAcceptInvalidHostnames")
	}
}

func (s dohOCSPStapling) curl(c *curlCommand) {
	if s {
		c.add("--doh-cert-status")
	}
}

// cache adds an argument with the file of a cache.
func (c *curlCommand) cache(arg, file string) {
	if file != "" {
		c.add(arg, file)
	}
}

func (s hsts) curl(c *curlCommand)   { c.cache("--hsts", string(s)) }
func (s altSvc) curl(c *curlCommand) { c.cache("--alt-svc", string(s)) }

func milliseconds(d time.Duration) string {
	return number(int((d + time.Millisecond - 1) / time.Millisecond))
}

func joinAddrs[T interface{ String() string }](list []T) string {
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = a.String()
	}
	return strings.Join(parts, ",")
}
