package ratmom

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/retry"
)

// FromTransport returns the options that make a client do what t's settings say. What cannot be
// carried over is an error that names the field, one for each ([errors.Join]), and is
// [ErrUnsupported]; the options are then nil. The zero value and [http.DefaultTransport], or a Clone of it,
// can be carried over.
//
// Some are not quite the same:
//
//   - Proxy may be nil, [http.ProxyFromEnvironment], or what [http.ProxyURL] returned.
//   - DialContext is called by the client, too ([config.DialContext], which needs libcurl 8.2); that of
//     http.DefaultTransport is left to libcurl. Its 30 seconds, which are also taken for another's, and
//     TLSHandshakeTimeout become one limit, their sum, for connecting as a whole ([config.ConnectTimeout]).
//   - MaxIdleConns counts the connections in use too ([config.ConnectionCacheSize]). MaxIdleConnsPerHost may
//     not be a limit of its own: 0 means 2 to net/http, and no limit here.
//   - ExpectContinueTimeout may be 0 or a second, which is libcurl's.
//   - The sizes of buffers are brought into the range of libcurl's.
//   - HTTP/2 is spoken where net/http would: with a TLSClientConfig, say, only if ForceAttemptHTTP2 is set.
//   - RegisterProtocol leaves nothing that could be read.
func FromTransport(t *http.Transport) ([]config.ClientOption, error) {
	if t == nil {
		return nil, failure.New(failure.Unsupported, "there is no http.Transport")
	}
	c := &carrier{t: t}
	if t.Proxy == nil {
		c.add("Proxy", config.Proxy("")) // whatever the environment says
	}
	c.fields("", reflect.ValueOf(t).Elem(), transportFields)
	c.connectTimeout()
	c.version()
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	return c.opts, nil
}

// carrier collects what the fields of a transport become.
type carrier struct {
	t    *http.Transport
	opts []config.ClientOption
	errs []error
}

// carry says what one field that is not zero becomes.
type carry func(c *carrier, field string)

// fields looks at every exported field of v. One that nobody here knows can only
// be zero.
func (c *carrier) fields(prefix string, v reflect.Value, known map[string]carry) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || v.Field(i).IsZero() {
			continue
		}
		if do, ok := known[f.Name]; ok {
			do(c, prefix+f.Name)
		} else {
			refuse("is not known here")(c, prefix+f.Name)
		}
	}
}

// add adds an option that field becomes, if its value is one that the option takes.
func (c *carrier) add(field string, o config.ClientOption) {
	if _, err := config.NewClient(append(slices.Clone(c.opts), o)...); err != nil {
		c.errs = append(c.errs, failure.Newf(failure.Unsupported, "http.Transport.%s: %w", field, err))
		return
	}
	c.opts = append(c.opts, o)
}

// refuse makes a carry for what cannot be carried over.
func refuse(why string) carry {
	return func(c *carrier, field string) {
		c.errs = append(c.errs, failure.Newf(failure.Unsupported, "http.Transport.%s %s", field, why))
	}
}

// ignore is for what has no meaning for a client, or is seen to elsewhere.
func ignore(*carrier, string) {}

const (
	runsInGo = "is a function of net/http's connections, and libcurl makes its own"
	noOption = "has no counterpart in libcurl"
)

var transportFields = map[string]carry{
	"Proxy":                  func(c *carrier, field string) { c.proxy(field) },
	"OnProxyConnectResponse": refuse(runsInGo),
	"DialContext":            func(c *carrier, field string) { c.dial(field) },
	"Dial":                   refuse(runsInGo),
	"DialTLSContext":         refuse(runsInGo),
	"DialTLS":                refuse(runsInGo),
	"TLSClientConfig": func(c *carrier, field string) {
		c.fields(field+".", reflect.ValueOf(c.t.TLSClientConfig).Elem(), tlsFields)
	},
	"TLSHandshakeTimeout": func(c *carrier, field string) {
		if c.t.DialContext == nil {
			refuse("without a limit for dialling has no counterpart: see config.ConnectTimeout")(c, field)
		}
	},
	"DisableKeepAlives":  func(c *carrier, field string) { c.add(field, config.ConnectionReuse(retry.ReuseNever)) },
	"DisableCompression": func(c *carrier, field string) { c.add(field, config.Decompression(false)) },
	"MaxIdleConns":       func(c *carrier, field string) { c.add(field, config.ConnectionCacheSize(c.t.MaxIdleConns)) },
	"MaxIdleConnsPerHost": func(c *carrier, field string) {
		n, all, host := c.t.MaxIdleConnsPerHost, c.t.MaxIdleConns, c.t.MaxConnsPerHost
		bounds := (all == 0 || n < all) && (host == 0 || n < host) // more than the others do
		if bounds {
			refuse("as a limit of its own "+noOption)(c, field)
		}
	},
	"MaxConnsPerHost":       func(c *carrier, field string) { c.add(field, config.MaxConnectionsPerHost(c.t.MaxConnsPerHost)) },
	"IdleConnTimeout":       func(c *carrier, field string) { c.add(field, config.IdleConnectionAge(c.t.IdleConnTimeout)) },
	"ResponseHeaderTimeout": func(c *carrier, field string) { c.add(field, config.ResponseHeadTimeout(c.t.ResponseHeaderTimeout)) },
	"ExpectContinueTimeout": func(c *carrier, field string) {
		if c.t.ExpectContinueTimeout != time.Second {
			refuse("other than a second has no counterpart: see config.ExpectContinue")(c, field)
		}
	},
	"TLSNextProto":          func(c *carrier, field string) { c.nextProto(field) },
	"ProxyConnectHeader":    func(c *carrier, field string) { c.add(field, config.ProxyHeaders(c.t.ProxyConnectHeader)) },
	"GetProxyConnectHeader": refuse(runsInGo),
	"MaxResponseHeaderBytes": func(c *carrier, field string) {
		c.add(field, config.MaxResponseHeadBytes(int(c.t.MaxResponseHeaderBytes)))
	},
	"WriteBufferSize": func(c *carrier, field string) {
		c.add(field, config.UploadBufferSize(clamp(c.t.WriteBufferSize, 16<<10, 2<<20)))
	},
	"ReadBufferSize": func(c *carrier, field string) {
		c.add(field, config.BufferSize(clamp(c.t.ReadBufferSize, 1<<10, 512<<10)))
	},
	"ForceAttemptHTTP2": ignore, // see version
	"HTTP2": func(c *carrier, field string) {
		c.fields(field+".", reflect.ValueOf(c.t.HTTP2).Elem(), map[string]carry{"MaxConcurrentStreams": ignore}) // servers have it
	},
	"Protocols": func(c *carrier, field string) {
		if p := c.t.Protocols; !p.HTTP1() && (!p.HTTP2() || !p.UnencryptedHTTP2()) {
			refuse("needs HTTP/1, or HTTP/2 both with TLS and without")(c, field)
		}
	},
}

func clamp(n, least, most int) int { return min(max(n, least), most) }

var tlsFields = map[string]carry{
	"Certificates": func(c *carrier, field string) { c.certificate(field) },
	"RootCAs":      refuse("cannot be read: give its PEM to config.CAFile or config.CABytes"),
	"NextProtos": func(c *carrier, field string) {
		if slices.ContainsFunc(c.t.TLSClientConfig.NextProtos, func(s string) bool { return s != "h2" && s != "http/1.1" }) {
			refuse("has more than h2 and http/1.1")(c, field)
		}
	},
	"ServerName": func(c *carrier, field string) { c.add(field, config.TLSServerName(c.t.TLSClientConfig.ServerName)) },
	"InsecureSkipVerify": func(c *carrier, field string) {
		c.add(field, config.DangerAcceptInvalidCertificates(true))
		c.add(field, config.DangerAcceptInvalidHostnames(true))
	},
	"MinVersion": func(c *carrier, field string) { c.add(field, config.TLSMinVersion(c.t.TLSClientConfig.MinVersion)) },
	"MaxVersion": func(c *carrier, field string) {
		if low, high := c.t.TLSClientConfig.MinVersion, c.t.TLSClientConfig.MaxVersion; low == 0 && high < tls.VersionTLS12 {
			c.opts = append(c.opts, config.TLSMinVersion(0)) // else nothing would be left
		}
		c.add(field, config.TLSMaxVersion(c.t.TLSClientConfig.MaxVersion))
	},

	// libcurl resumes sessions by itself.
	"ClientSessionCache": ignore,

	// Of servers.
	"NameToCertificate":        ignore,
	"GetCertificate":           ignore,
	"GetConfigForClient":       ignore,
	"ClientAuth":               ignore,
	"ClientCAs":                ignore,
	"PreferServerCipherSuites": ignore,
	"SessionTicketKey":         ignore,
	"EncryptedClientHelloKeys": ignore,

	"GetEncryptedClientHelloKeys": ignore,

	"Rand":                                refuse(noOption),
	"Time":                                refuse(noOption),
	"GetClientCertificate":                refuse(runsInGo),
	"VerifyPeerCertificate":               refuse(runsInGo),
	"VerifyConnection":                    refuse(runsInGo),
	"CipherSuites":                        refuse("cannot be carried over by number: name them in config.TLSCiphers and TLS13Ciphers"),
	"CurvePreferences":                    refuse("cannot be carried over by number: name them in config.TLSCurves"),
	"SessionTicketsDisabled":              func(c *carrier, field string) { c.add(field, config.TLSSessionReuse(false)) },
	"UnwrapSession":                       refuse(runsInGo),
	"WrapSession":                         refuse(runsInGo),
	"DynamicRecordSizingDisabled":         refuse(noOption),
	"Renegotiation":                       refuse(noOption),
	"KeyLogWriter":                        refuse("has no counterpart: libcurl writes to the file in SSLKEYLOGFILE"),
	"EncryptedClientHelloConfigList":      refuse("cannot be given: config.ECH asks the name server"),
	"EncryptedClientHelloRejectionVerify": refuse(runsInGo),
}

// proxy carries over those functions that say always the same.
func (c *carrier) proxy(field string) {
	switch {
	case codeOf(c.t.Proxy) == codeOf(http.ProxyFromEnvironment):
		c.add(field, config.ProxyFromEnvironment())
	case fromProxyURL(c.t.Proxy):
		u, err := c.t.Proxy(&http.Request{URL: &url.URL{Scheme: "http", Host: "site.example"}})
		if err != nil || u == nil {
			c.add(field, config.Proxy(""))
			return
		}
		named := *u
		if named.Scheme == "socks5" {
			named.Scheme = "socks5h" // net/http leaves the names to the proxy
		}
		c.add(field, config.Proxy(named.String()))
	default:
		refuse("is a function of the request: see the option config.Proxy of a request")(c, field)
	}
}

func codeOf(f func(*http.Request) (*url.URL, error)) uintptr { return reflect.ValueOf(f).Pointer() }

// fromProxyURL reports whether f is one that http.ProxyURL makes. It has another address
// wherever that was inlined, but the same place in the source.
func fromProxyURL(f func(*http.Request) (*url.URL, error)) bool {
	place := func(f func(*http.Request) (*url.URL, error)) (string, int) {
		pc := codeOf(f)
		return runtime.FuncForPC(pc).FileLine(pc)
	}
	file, line := place(f)
	known, at := place(http.ProxyURL(nil))
	return file == known && line == at
}

// dial carries over the function. That of http.DefaultTransport, that very value, which a
// clone has too, does what libcurl does by itself.
func (c *carrier) dial(field string) {
	if !defaultDial(c.t) {
		c.add(field, config.DialContext(c.t.DialContext))
		c.dialsProxy(field)
		return
	}
	// As the net.Dialer there.
	c.add(field, config.TCPKeepAlive(30*time.Second, 30*time.Second))
}

// dialsProxy refuses a proxy to which no connection can be dialled.
func (c *carrier) dialsProxy(field string) {
	cfg, err := config.NewClient(c.opts...)
	if err != nil {
		return // has been reported
	}
	if _, err := cfg.Defaults().DialAddress(&url.URL{Scheme: "https", Host: "site.example"}); err != nil {
		c.errs = append(c.errs, failure.Newf(failure.Unsupported, "http.Transport.%s: %w", field, err))
	}
}

func defaultDial(t *http.Transport) bool {
	d, ok := http.DefaultTransport.(*http.Transport)
	if !ok || t.DialContext == nil || d.DialContext == nil {
		return false
	}
	value := func(t *http.Transport) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&t.DialContext)) }
	return value(t) == value(d)
}

func (c *carrier) connectTimeout() {
	if c.t.DialContext != nil && c.t.TLSHandshakeTimeout > 0 {
		c.add("TLSHandshakeTimeout", config.ConnectTimeout(30*time.Second+c.t.TLSHandshakeTimeout))
	} else if defaultDial(c.t) {
		c.add("DialContext", config.ConnectTimeout(30*time.Second))
	}
}

// nextProto takes an empty map, which net/http takes for no HTTP/2, and what net/http
// itself puts there when a transport is first used.
func (c *carrier) nextProto(field string) {
	for _, f := range c.t.TLSNextProto {
		if !strings.HasPrefix(runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name(), "net/http.") {
			refuse(runsInGo)(c, field)
			return
		}
	}
}

// version chooses the version of HTTP as net/http does.
func (c *carrier) version() {
	t := c.t
	http1 := t.TLSNextProto != nil && len(t.TLSNextProto) == 0
	if p := t.Protocols; p != nil {
		if !p.HTTP1() {
			c.add("Protocols", config.HTTPVersion(config.HTTP2PriorKnowledge))
			return
		}
		http1 = http1 || !p.HTTP2()
	} else if t.TLSNextProto == nil && !t.ForceAttemptHTTP2 && (t.TLSClientConfig != nil || t.DialContext != nil) {
		// With the other functions for dialling too, but they have been refused.
		http1 = true
	}
	if http1 {
		c.add("Protocols", config.HTTPVersion(config.HTTP11))
	}
}

// certificate carries over the one certificate, if its key can be written down.
func (c *carrier) certificate(field string) {
	list := c.t.TLSClientConfig.Certificates
	if len(list) == 0 {
		return
	}
	if len(list) > 1 {
		refuse("has more than one")(c, field)
		return
	}
	key, err := x509.MarshalPKCS8PrivateKey(list[0].PrivateKey)
	if err != nil {
		refuse(fmt.Sprintf("has a key that cannot be written down (%T)", list[0].PrivateKey))(c, field)
		return
	}
	var chain bytes.Buffer
	for _, der := range list[0].Certificate {
		_ = pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	c.add(field, config.ClientCertificateBytes(chain.Bytes(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}
