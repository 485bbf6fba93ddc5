package health

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/ratmom/ratmom/internal/failure"
)

// KindOf is the kind of an error of a ratmom client, of net or of crypto/tls. It is
// KindOther for what says nothing of the peer, a limit of the request's own time among
// it: only the time to connect is the peer's.
//
// libcurl does not say why a name has no address, so that its word is KindNameFailed. A
// connection that could not be made for a reason that is not known is KindRefused; for
// want of this machine's own file descriptors, memory or ports it is KindOther.
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
	case unreachable(err):
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
		return ofConnect(e)
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

// OfCaller reports whether an error of a ratmom client is the caller's or this machine's own and says nothing of the
// server: a request body whose reader fails, a file that cannot be read, no file descriptors, memory or ports left, a request
// that was taken back, a body that was closed before its end. [Outliers] is not told of it.
func OfCaller(err error) bool {
	var e *failure.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Kind {
	case failure.Canceled, failure.AgentStopped, failure.Closed, failure.InvalidRequest, failure.InvalidOption, failure.Unsupported,
		failure.BodyNotRewindable, failure.RequestBody, failure.Local, failure.OutOfMemory, failure.Internal:
		return true
	}
	return e.Code == codeWriteError || short(err)
}

// codeWriteError is CURLE_WRITE_ERROR: what came was not taken any more from here on, as its reader has closed it.
const codeWriteError = 23

// short reports whether it is the system that lacks something, which says nothing of the peer.
func short(err error) bool {
	return slices.ContainsFunc(shortages, func(reason error) bool { return errors.Is(err, reason) })
}

func unreachable(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH)
}

// shortages are the system's reasons that say nothing of the peer.
var shortages = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}

func ofConnect(err error) Kind {
	if unreachable(err) {
		return KindUnreachable
	}
	if short(err) {
		return KindOther
	}
	return KindRefused
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
