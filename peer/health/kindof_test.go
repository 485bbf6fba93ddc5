package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/internal/failure"
)

func TestKindOf_knows_errors_of_net_and_tls(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{&net.DNSError{IsNotFound: true}, KindNameUnknown},
		{&net.DNSError{IsTimeout: true}, KindNameFailed},
		{&net.OpError{Op: "dial", Err: &net.DNSError{}}, KindNameFailed},
		{context.DeadlineExceeded, KindTimeout},
		{tls.AlertError(40), KindTLS},
		{x509.UnknownAuthorityError{}, KindTLS},
		{io.ErrUnexpectedEOF, KindOther},
		{nil, KindOther},
		{failure.FromCurl(6, "Could not resolve host: x"), KindNameFailed},
		{failure.FromCurl(28, "Resolving timed out after 10 milliseconds"), KindNameFailed},
		{failure.FromCurl(28, "Connection timed out after 10 milliseconds"), KindTimeout},
		{failure.FromCurl(28, "Connection timeout after 10 ms"), KindTimeout},
		{failure.FromCurl(28, "SSL connection timeout"), KindTimeout},
		{failure.FromCurl(28, "Operation timed out after 10 milliseconds with 0 bytes received"), KindOther},
		{failure.FromCurl(7, "Failed to connect"), KindRefused},
		{failure.Wrap(failure.Connect, syscall.ECONNREFUSED), KindRefused},
		{failure.Wrap(failure.Connect, syscall.EHOSTUNREACH), KindUnreachable},
		{failure.Wrap(failure.Connect, syscall.ENETUNREACH), KindUnreachable},
		{failure.Wrap(failure.Connect, syscall.EMFILE), KindOther},
		{failure.FromCurl(60, "SSL certificate problem"), KindTLS},
		{failure.FromCurl(52, "Empty reply from server"), KindOther},
		{failure.Wrap(failure.Canceled, context.Canceled), KindOther},
		{failure.Wrap(failure.Timeout, context.DeadlineExceeded), KindOther}, // the user's patience
		{errors.Join(errSick, &net.DNSError{IsNotFound: true}), KindNameUnknown},
	} {
		assert.Equal(t, c.want, KindOf(c.err), "%v", c.err)
	}
	names := map[string]bool{}
	for k := KindOther; k < kinds; k++ {
		names[k.String()] = true
	}
	assert.Len(t, names, int(kinds))
	assert.Equal(t, "other", kinds.String())
}

func TestOfCaller_says_whether_an_error_is_no_fault_of_the_server(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{failure.Wrap(failure.RequestBody, io.ErrUnexpectedEOF), true},
		{failure.Wrap(failure.Canceled, context.Canceled), true},
		{failure.Wrap(failure.Connect, syscall.EMFILE), true},
		{failure.Wrap(failure.Connect, syscall.EADDRNOTAVAIL), true},
		{failure.FromCurl(26, "operation aborted by callback"), true}, // the reader
		{failure.FromCurl(23, "Failure writing output to destination"), true},
		{failure.FromCurl(45, "Couldn't bind to interface"), true},
		{errors.Join(errSick, failure.New(failure.Local, "no such file")), true},
		{failure.Wrap(failure.Connect, syscall.ECONNREFUSED), false},
		{failure.FromCurl(28, "Operation timed out"), false},
		{failure.FromCurl(52, "Empty reply from server"), false},
		{failure.FromCurl(60, "SSL certificate problem"), false},
		{failure.New(failure.HeadTooLarge, ""), false},
		{io.ErrUnexpectedEOF, false},
		{nil, false},
	} {
		assert.Equal(t, c.want, OfCaller(c.err), "%v", c.err)
	}
}
