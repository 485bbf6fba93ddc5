package health

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/ratmom/ratmom/internal/failure"
)

// KindOf is the kind of an error of a ratmom client, of net or of crypto/tls. It is
// KindOther for what says nothing of the peer, a limit of the request's own time among
// it: only the time to connect is the peer's.
//
// libcurl does not say why a name has no address, so that its word is KindNameFailed, nor
// in 7.88.1 why it could not connect, which is KindRefused.
func KindOf(err error) Kind {
	var transfer *failure.Error
	if errors.As(err, &transfer) {
		return ofTransfer(transfer)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsNotFound {
			return KindNameUnknown
		}
		return KindNameFailed
	}
	if ofTLS(err) {
		return KindTLS
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return KindUnreachable
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return KindTimeout
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() { // context.DeadlineExceeded too
		return KindTimeout
	}
	return KindOther
}

// connectTimeouts begin libcurl's words when the time was over before there was a
// connection, in 7.88.1 and 8.14.1. Otherwise they are "Operation timed out".
var connectTimeouts = []string{"Connection time", "SSL connection timeout", "Proxy CONNECT aborted due to timeout"}

func ofTransfer(e *failure.Error) Kind {
	switch e.Kind {
	case failure.NameResolution:
		return KindNameFailed
	case failure.Connect:
		return KindRefused
	case failure.TLS, failure.CertificateVerification, failure.ClientCertificate:
		return KindTLS
	case failure.Timeout:
		if strings.HasPrefix(e.Detail, "Resolving timed out") {
			return KindNameFailed
		}
		for _, words := range connectTimeouts {
			if strings.HasPrefix(e.Detail, words) {
				return KindTimeout
			}
		}
	}
	return KindOther
}

func ofTLS(err error) bool {
	var (
		record    tls.RecordHeaderError
		alert     tls.AlertError
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &verify) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}
