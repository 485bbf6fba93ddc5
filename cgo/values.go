package cgo

// Values of easy options that are enumerations in curl.h.

// HTTP versions, for OptHTTPVersion.
const (
	HTTPVersionNone            = 0
	HTTPVersion10              = 1
	HTTPVersion11              = 2
	HTTPVersion2               = 3
	HTTPVersion2TLS            = 4
	HTTPVersion2PriorKnowledge = 5
	HTTPVersion3               = 30
	HTTPVersion3Only           = 31
)

// TLS versions, for OptSSLVersion and its proxy twin: the lowest, or'ed with the highest.
const (
	SSLVersionDefault  = 0
	SSLVersionTLS10    = 4
	SSLVersionTLS11    = 5
	SSLVersionTLS12    = 6
	SSLVersionTLS13    = 7
	SSLVersionMaxTLS10 = 4 << 16
	SSLVersionMaxTLS11 = 5 << 16
	SSLVersionMaxTLS12 = 6 << 16
	SSLVersionMaxTLS13 = 7 << 16
)

// Authentication schemes, for OptHTTPAuth, OptProxyAuth and OptSOCKS5Auth.
const (
	AuthNone      = 0
	AuthBasic     = 1
	AuthDigest    = 2
	AuthNegotiate = 4
	AuthNTLM      = 8
	AuthBearer    = 64
	AuthAWSSigV4  = 128
)

// Proxy types, for OptProxyType.
const (
	ProxyTypeHTTP    = 0
	ProxyTypeHTTPS   = 2
	ProxyTypeHTTPS2  = 3 // 8.2
	ProxyTypeSOCKS4  = 4
	ProxyTypeSOCKS5  = 5
	ProxyTypeSOCKS4a = 6
	ProxyTypeSOCKS5h = 7
)

// Address families, for OptIPResolve.
const (
	IPResolveWhatever = 0
	IPResolveV4       = 1
	IPResolveV6       = 2
)

// Where headers go, for OptHeaderOpt.
const (
	HeaderUnified  = 0
	HeaderSeparate = 1
)

// Bits of OptSSLOptions and its proxy twin.
const SSLOptNoPartialChain = 4
