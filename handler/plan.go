package handler

import (
	"net/http"
	"net/url"
	"time"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
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
	Decompress            bool
	TitleCase             bool
	UserAgent             string
	ServerName            string      // for SNI and verification; empty: the host
	Defaults              http.Header // sent unless the request has the field
	Expect                bool
	PriorKnowledge        bool // HTTP/2 without negotiation
	HTTP1                 bool // never more than HTTP/1.1
	Wire                  func(config.WireEvent)
	keys                  [2]byte // their addresses name the plan with and without TLS
	Redirect              config.RedirectPolicy
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
		Decompress:   cfg.Decompression(),
		TitleCase:    cfg.TitleCaseHeaders(),
		Expect:       cfg.ExpectContinue() > 0,
		Wire:         cfg.WireLog(),
		Proxy:        cfg.ProxyFor,
		Redirect:     cfg.Redirect(),
		Jar:          cfg.CookieJar(),
		Defaults:     cfg.DefaultHeaders(),
		ServerName:   cfg.TLSServerName(),
	}
	if ua, ok := cfg.UserAgent(); ok {
		p.UserAgent = ua
	} else {
		p.UserAgent = DefaultUserAgent()
	}
	switch cfg.HTTPVersion() {
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
	case p.AuthArmed || p.Wire != nil || p.ServerName != "":
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
