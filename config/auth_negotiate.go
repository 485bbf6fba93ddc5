package config

import (
	"fmt"
	"strconv"

	"github.com/ratmom/ratmom/cgo"
)

// NegotiateAuth authenticates by Kerberos, in SPNEGO (RFC 4559), as whoever the
// process has tickets of: those that kinit has got, or a keytab in KRB5_CLIENT_KTNAME.
// The token goes with the request at once, its body too, in one round. Without a
// ticket for the server nothing is sent, and the error is ErrAuth.
//
// The token is made by the GSS-API library that libcurl was built with, but not by
// libcurl itself: it can take as long as the name server and the KDC do, which ends
// with the request's context and time limit, and would stop the agent. SendAsync
// has a goroutine for it. Servers that want more rounds or the binding to a TLS
// channel answer 401.
//
// A server may take all that comes over the connection for authenticated. Requests
// that negotiate otherwise than their client (or do not, where it does) therefore
// have a connection of their own.
//
// It needs a libcurl with GSS-API. See [ServiceName] and [GSSAPIDelegation], and
// [BasicAuth] for what is said of all ...Auth options. In place of CURLAUTH_NEGOTIATE.
func NegotiateAuth() Option { return withAuth(AuthNegotiate, "", "") }

// ProxyNegotiateAuth authenticates to an HTTP proxy as [NegotiateAuth] does to a
// server. SOCKS proxies get nothing.
func ProxyNegotiateAuth() Option { return withProxyAuth(AuthNegotiate, "", "") }

const gssapiNeeded = "to be built with GSS-API"

// ServiceName is the service whose ticket [NegotiateAuth] uses: the part before the
// slash in the server's principal.
//
// Default: "HTTP". CURLOPT_SERVICE_NAME.
func ServiceName(name string) Option { return both(serviceName(name)) }

// ProxyServiceName is the service whose ticket [ProxyNegotiateAuth] uses.
//
// Default: "HTTP". CURLOPT_PROXY_SERVICE_NAME.
func ProxyServiceName(name string) Option { return both(proxyServiceName(name)) }

type serviceName string

func (s serviceName) validate() error { return checkService("ServiceName", string(s)) }

func (s serviceName) supported(f *cgo.FeatureSet) error {
	return needsGSSAPI(f, "ServiceName", string(s))
}

type proxyServiceName string

func (s proxyServiceName) validate() error { return checkService("ProxyServiceName", string(s)) }

func (s proxyServiceName) supported(f *cgo.FeatureSet) error {
	return needsGSSAPI(f, "ProxyServiceName", string(s))
}

func needsGSSAPI(f *cgo.FeatureSet, option string, value any) error {
	if !f.GSSAPI {
		return unsupported(f, option, value, gssapiNeeded)
	}
	return nil
}

func checkService(option, name string) error {
	if name == "" {
		return invalid(option, name, "is empty")
	}
	if len(name) > 255 {
		return invalid(option, name, "is longer than 255 bytes")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c <= ' ' || c >= 0x7f, c == '@', c == '/', c == '\\':
			return invalid(option, name, "has the character %q", c)
		}
	}
	return nil
}

// Delegation says whether a server may act in our name.
type Delegation uint8

const (
	// NoDelegation gives no server our tickets.
	NoDelegation Delegation = iota
	// DelegationByPolicy gives them to servers that the KDC marks as fit for it
	// (OK-AS-DELEGATE).
	DelegationByPolicy
	// DelegationAlways gives them to every server that is negotiated with.
	DelegationAlways
)

// String returns the name as in the code.
func (d Delegation) String() string {
	switch d {
	case NoDelegation:
		return "NoDelegation"
	case DelegationByPolicy:
		return "DelegationByPolicy"
	case DelegationAlways:
		return "DelegationAlways"
	}
	return "Delegation(" + strconv.Itoa(int(d)) + ")"
}

// GSSAPIDelegation says whether [NegotiateAuth] hands our tickets to the server, for
// use in our name. Proxies never get them.
//
// Default: NoDelegation. CURLOPT_GSSAPI_DELEGATION.
func GSSAPIDelegation(d Delegation) Option { return both(delegation{d}) }

type delegation struct{ Delegation }

func (s delegation) validate() error {
	if s.Delegation > DelegationAlways {
		return invalid("GSSAPIDelegation", s.Delegation, "is none of the three")
	}
	return nil
}

func (s delegation) supported(f *cgo.FeatureSet) error {
	if s.Delegation == NoDelegation {
		return nil
	}
	return needsGSSAPI(f, "GSSAPIDelegation", s.Delegation)
}

func (d Delegation) flags() cgo.GSSFlags {
	switch d {
	case DelegationByPolicy:
		return cgo.GSSDelegateByPolicy
	case DelegationAlways:
		return cgo.GSSDelegate
	}
	return 0
}

// Negotiation is what a token of SPNEGO is made for; without a service, none is.
type Negotiation struct {
	Service string       // the first part of the server's principal, as in HTTP
	Flags   cgo.GSSFlags // whether the credentials may be passed on
}

// Negotiation returns what to negotiate with the server.
func (r *RequestConfig) Negotiation() Negotiation { return r.set.negotiation() }

// ProxyNegotiation returns what to negotiate with an HTTP proxy.
func (r *RequestConfig) ProxyNegotiation() Negotiation { return r.set.proxyNegotiation() }

func (s settings) negotiation() Negotiation {
	if a, _ := find[auth](s); a.schemes != AuthNegotiate {
		return Negotiation{}
	}
	d, _ := find[delegation](s)
	n := Negotiation{Service: defaultService, Flags: d.flags()}
	if name, ok := find[serviceName](s); ok {
		n.Service = string(name)
	}
	return n
}

func (s settings) proxyNegotiation() Negotiation {
	if a, _ := find[proxyAuth](s); a.schemes != AuthNegotiate {
		return Negotiation{}
	}
	n := Negotiation{Service: defaultService}
	if name, ok := find[proxyServiceName](s); ok {
		n.Service = string(name)
	}
	return n
}

// apart is what connections are kept apart by; "": nothing.
func (n Negotiation) apart() string {
	return unless(n == Negotiation{}, fmt.Sprintf("%q %d", n.Service, n.Flags))
}

const defaultService = "HTTP"
