package auth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Why a certificate is not accepted.
var (
	ErrNoTLS         = errors.New("a TLS connection is required")
	ErrNoCertificate = errors.New("a certificate is required")
	ErrUnverified    = errors.New("the certificate was not verified")
)

// NameError is a certificate of somebody else.
type NameError struct {
	Name  string   // whose certificate is wanted
	Names []string // those it has
}

func (e *NameError) Error() string {
	return fmt.Sprintf("the certificate is not that of %q but of %q", e.Name, e.Names)
}

// Certificate says whether the other side of a TLS connection has shown a certificate for name, which
// TLS has verified. The name must be one of its DNS names, letter case aside, or its common name if it
// has no alternative names at all. Wildcards match nothing: they would name more than one server. A name
// with a port stands for its host, and an IP address must be among the certificate's addresses.
func Certificate(state *tls.ConnectionState, name string) error {
	switch {
	case state == nil:
		return ErrNoTLS
	case len(state.PeerCertificates) == 0:
		return ErrNoCertificate
	case len(state.VerifiedChains) == 0:
		return ErrUnverified
	}
	cert := state.PeerCertificates[0]
	host := name
	if h, _, err := net.SplitHostPort(name); err == nil {
		host = h
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		for _, a := range cert.IPAddresses {
			if have, ok := netip.AddrFromSlice(a); ok && have.Unmap() == ip.Unmap() {
				return nil
			}
		}
		return &NameError{name, names(cert)}
	}
	if host == "" || strings.Contains(host, "*") ||
		!slices.ContainsFunc(names(cert), func(n string) bool { return strings.EqualFold(n, host) }) {
		return &NameError{name, names(cert)}
	}
	return nil
}

// names are those a certificate is for.
func names(cert *x509.Certificate) []string {
	all := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 && len(cert.URIs) == 0 && len(cert.EmailAddresses) == 0 && cert.Subject.CommonName != "" {
		all = append(all, cert.Subject.CommonName)
	}
	return all
}
