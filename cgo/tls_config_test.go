package cgo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestConfiguration_of_TLS_is_what_its_options_say(t *testing.T) {
	config := func(https bool, set func(*Options)) uint64 {
		var o Options
		o.String(OptURL, map[bool]string{true: "https://host/", false: "Http://host/"}[https])
		o.String(OptProxy, "")
		o.String(OptCAInfo, "/ca.pem")
		o.Long(OptTimeoutMS, 1000)
		if set != nil {
			set(&o)
		}
		return o.tlsConfig()
	}
	usual := config(true, nil)
	assert.Greater(t, usual, uint64(tlsAlone))
	assert.EqualValues(t, tlsNone, config(false, nil))
	for name, set := range map[string]func(*Options){
		"time limit":     func(o *Options) { o.Long(OptTimeoutMS, 5) },
		"header":         func(o *Options) { o.List(OptHTTPHeader, []string{"A: b"}) },
		"proxy":          func(o *Options) { o.String(OptProxy, "http://proxy:3128") },
		"SOCKS":          func(o *Options) { o.Long(OptProxyType, ProxyTypeSOCKS5) },
		"no DNS over it": func(o *Options) { o.Null(OptDoHURL) },
	} {
		assert.Equal(t, usual, config(true, set), name)
		assert.EqualValues(t, tlsNone, config(false, set), name)
	}
	seen := map[uint64]string{usual: "usual"}
	for name, set := range map[string]func(*Options){
		"no check":       func(o *Options) { o.Long(OptSSLVerifyPeer, 0) },
		"other file":     func(o *Options) { o.String(OptCAInfo, "/cb.pem") },
		"no file":        func(o *Options) { o.Null(OptCAInfo) },
		"directory":      func(o *Options) { o.String(OptCAPath, "/ca.pem") },
		"from memory":    func(o *Options) { o.Blob(OptCAInfoBlob, []byte("pem")) },
		"other memory":   func(o *Options) { o.Blob(OptCAInfoBlob, []byte("pen")) },
		"version":        func(o *Options) { o.Long(OptSSLVersion, 7) },
		"ciphers":        func(o *Options) { o.String(OptSSLCipherList, "AES") },
		"ciphers of 1.3": func(o *Options) { o.String(OptTLS13Ciphers, "AES") },
		"no ALPN":        func(o *Options) { o.Long(OptSSLEnableALPN, 0) },
	} {
		id := config(true, set)
		assert.Empty(t, seen[id], name)
		seen[id] = name
		assert.EqualValues(t, tlsNone, config(false, set), name)
	}
	for name, set := range map[string]func(*Options){
		"certificate":      func(o *Options) { o.String(OptSSLCert, "/cert.pem") },
		"certificate blob": func(o *Options) { o.Blob(OptSSLCertBlob, []byte("pem")) },
		"key":              func(o *Options) { o.String(OptSSLKey, "/key.pem") },
		"password":         func(o *Options) { o.String(OptKeyPasswd, "secret") },
		"stapled answer":   func(o *Options) { o.Long(OptSSLVerifyStatus, 1) },
		"SRP":              func(o *Options) { o.String(OptTLSAuthUsername, "user") },
	} {
		assert.EqualValues(t, tlsAlone, config(true, set), name)
		assert.EqualValues(t, tlsNone, config(false, set), name)
	}
	for name, set := range map[string]func(*Options){
		"https proxy":   func(o *Options) { o.String(OptProxy, "HTTPS://proxy:3129") },
		"its type":      func(o *Options) { o.Long(OptProxyType, ProxyTypeHTTPS) },
		"of HTTP/2":     func(o *Options) { o.Long(OptProxyType, ProxyTypeHTTPS2) },
		"DNS over it":   func(o *Options) { o.String(OptDoHURL, "https://dns/") },
		"known servers": func(o *Options) { o.String(OptHSTS, "/hsts") },
		"in memory":     func(o *Options) { o.Long(OptHSTSCtrl, 1) },
		"alternatives":  func(o *Options) { o.String(OptAltSvc, "/altsvc") },
	} {
		assert.EqualValues(t, tlsAlone, config(true, set), name)
		assert.EqualValues(t, tlsAlone, config(false, set), name)
	}
}

// What is not known to be no URL of TLS is one.
func TestConfiguration_of_TLS_goes_by_the_URL(t *testing.T) {
	for url, none := range map[string]bool{
		"http://host/": true, "HTTP://host/": true, "ws://host/": true, "WS://host/": true,
		"https://host/": false, "wss://host/": false, "ftps://host/": false, "host": false, "": false, "http": false,
	} {
		var o Options
		o.String(OptURL, url)
		assert.Equal(t, none, o.tlsConfig() == tlsNone, url)
	}
	var o Options
	assert.NotEqualValues(t, tlsNone, o.tlsConfig())
	o.String(OptSSLCert, "/cert.pem")
	assert.EqualValues(t, tlsAlone, o.tlsConfig())
	o.Null(OptURL)
	assert.EqualValues(t, tlsAlone, o.tlsConfig())
}

func TestOptions_of_TLS_are_known_as_such(t *testing.T) {
	for opt := range Opt(50_000) {
		name := opt.String()
		about := func(words ...string) bool {
			for _, w := range words {
				if strings.Contains(name, w) {
					return true
				}
			}
			return false
		}
		if about("PROXY_", "DOH_", "USE_SSL", "FTP", "SSH_", "NPN", "DNS_", "CRLF") {
			continue
		}
		if about("SSL", "TLS", "_CA", "CRL", "ISSUERCERT", "CERTINFO", "PINNED", "KEYPASSWD", "ECH") {
			assert.True(t, opt.inTLS(), name)
		}
	}
}
