package handler

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/retry"
)

// Plan is a resolved configuration as the handler uses it: the merge of the
// client's options with the request's, read once.
type Plan struct {
	Config *config.RequestConfig
	// RoundTripper asks for net/http's rules where they differ from the
	// client's: compression is undone only if it was asked for here, and no
	// header is made from the URL or the body's length.
	RoundTripper bool

	HighWater, MaxHead    int
	HeadTimeout, IdleTime time.Duration
	Total                 time.Duration
	Infos                 bool
	Limited               bool // in speed
	Certificates          bool // tell those of the server
	AuthArmed             bool
	Auth                  bool // credentials are configured
	Negotiates            bool // with the server or a proxy
	AWS                   bool // requests are signed
	Proxyless             bool // whatever the URL
	proxyToken            bool // is sent to a proxy, another each time
	Decompress            bool
	TitleCase             bool
	UserAgent             string
	ServerName            string      // for SNI and verification; empty: the host
	Defaults              http.Header // sent unless the request has the field
	Expect                bool
	PriorKnowledge        bool // HTTP/2 without negotiation
	HTTP1                 bool // never more than HTTP/1.1
	Wire                  bool
	Target                string   // in the place of the URL's; for the first hop alone
	Order                 []string // of the header lines, in canonical form
	Raw                   bool     // the header as the caller wrote it
	Range                 string   // the field's value; empty: none
	Condition             [2]string
	MaxBody               int64 // 0: any
	MaxDecoded            int64
	Aliases               bool // a head may begin with something else than HTTP
	IgnoreLength          bool
	RawTransfer           bool // the transfer coding is left as it is
	TransferCoded         bool // compression is a transfer coding
	StopUpload            bool // when the response is an error
	NoUserinfo            bool
	OnUpload, OnDownload  func(n, total int64)
	Version               config.Version
	Tunnel                bool // through an HTTP proxy for http URLs, too
	PipeWait              bool // PipeWaitSet: as configured
	PipeWaitSet           bool
	Verifies              bool // servers prove that they are the host of the URL
	Elsewhere             bool // options say where the connection goes
	TLS13                 bool
	ConnectTimeout        time.Duration
	Dial                  func(ctx context.Context, network, address string) (net.Conn, error)
	DialLimit             time.Duration // 0: none
	keys                  [2]byte       // their addresses name the plan with and without TLS
	Redirect              config.RedirectPolicy
	Retry                 *retry.Policy // nil: none
	Reuse                 retry.Reuse
	Jar                   http.CookieJar
	Proxy                 func(*url.URL) (*url.URL, error)
}

// NewPlan reads cfg.
func NewPlan(cfg *config.RequestConfig, roundTripper bool) *Plan {
	p := &Plan{
		Config:       cfg,
		RoundTripper: roundTripper,
		HighWater:    cfg.HighWater(),
		MaxHead:      cfg.MaxResponseHeadBytes(),
		HeadTimeout:  cfg.ResponseHeadTimeout(),
		IdleTime:     cfg.IdleReadTimeout(),
		Total:        cfg.TotalTimeout(),
		Infos:        cfg.Metrics(),
		Limited:      cfg.SpeedLimited(),
		Certificates: cfg.CertificateChain(),
		AuthArmed:    cfg.AuthArmed(),
		Auth:         hasAuth(cfg),
		proxyToken:   cfg.ProxyNegotiation().Service != "",
		Decompress:   cfg.Decompression(),
		TitleCase:    cfg.TitleCaseHeaders(),
		Expect:       cfg.ExpectContinue() > 0,
		Wire:         cfg.WireLog() != nil,
		Proxy:        cfg.ProxyFor,
		Redirect:     cfg.Redirect(),
		Retry:        cfg.Retry(),
		Reuse:        cfg.ConnectionReuse(),
		Jar:          cfg.CookieJar(),
		Defaults:     cfg.DefaultHeaders(),
		ServerName:   cfg.TLSServerName(),
		Target:       cfg.RequestTarget(),
		Order:        cfg.HeaderOrder(),
		Raw:          cfg.RawHeaders(),
		Range:        cfg.Range(),
		MaxBody:      cfg.MaxBodyBytes(),
		MaxDecoded:   cfg.MaxDecompressedBytes(),
		Aliases:      len(cfg.StatusAliases()) > 0,
		IgnoreLength: cfg.IgnoreContentLength(),
		RawTransfer:  !cfg.TransferDecoding(),
		StopUpload:   cfg.StopUploadOnError(),
		NoUserinfo:   cfg.DisallowUserinfo(),
		OnUpload:     cfg.UploadProgress(),
		OnDownload:   cfg.DownloadProgress(),
		Version:      cfg.HTTPVersion(),
		Tunnel:       cfg.ProxyTunnel(),
		Verifies:     cfg.Verifies(),
		Elsewhere:    cfg.Elsewhere(),
		TLS13:        cfg.TakesTLS13(),

		ConnectTimeout: cfg.ConnectTimeout(),
	}
	if p.Dial = cfg.DialContext(); p.Dial != nil {
		p.DialLimit = cfg.DialLimit()
	}
	p.PipeWait, p.PipeWaitSet = cfg.PipeWait()
	p.TransferCoded = cfg.TransferCompression()
	p.Condition[0], p.Condition[1] = cfg.TimeCondition()
	_, p.AWS = cfg.AWSSigV4()
	p.Proxyless = cfg.Proxyless()
	p.Negotiates = p.proxyToken || cfg.Negotiation().Service != ""
	if ua, ok := cfg.UserAgent(); ok {
		p.UserAgent = ua
	} else {
		p.UserAgent = DefaultUserAgent()
	}
	switch p.Version {
	case config.HTTP2PriorKnowledge:
		p.PriorKnowledge = true
	case config.HTTP10, config.HTTP11:
		p.HTTP1 = true
	}
	return p
}

// profile names what all plain requests under this plan have in common; nil if
// nothing can be kept.
func (p *Plan) profile(tls bool) any {
	switch {
	case p.AuthArmed || p.proxyToken || p.Wire || p.ServerName != "":
		return nil
	case tls:
		return &p.keys[1]
	}
	return &p.keys[0]
}

// Version is the module's version, as in the default User-Agent.
const Version = "0.1.0"

var defaultUserAgent = "ratmom/" + Version

// DefaultUserAgent is the User-Agent of requests that set none.
func DefaultUserAgent() string { return defaultUserAgent + " libcurl/" + cgo.Features().VersionString }

func hasAuth(cfg *config.RequestConfig) bool {
	schemes, _, _ := cfg.Auth()
	return schemes != 0
}

func hasHeader(h http.Header, key string) bool {
	_, ok := h[key]
	return ok
}
