package config

import (
	"fmt"
	"strings"
)

// AWSSigV4 says how [AWSSigV4Auth] signs. It prints without its keys.
type AWSSigV4 struct {
	AccessKeyID     string // names the key
	SecretAccessKey string // never sent, only signed with
	SessionToken    string // of temporary keys; "" if there is none
	Region          string // as in "eu-central-1"
	Service         string // as in "s3"
	// Provider is who the names in headers and signature are of, as in libcurl:
	// "aws:amz", which "" means, or "osc", "goog".
	Provider string
}

// Format implements fmt.Formatter: all verbs print where to, not with what.
func (c AWSSigV4) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "AWSSigV4{%s %s}", c.Region, c.Service)
}

// AWSSigV4Auth signs requests with Signature Version 4 of AWS: the method, the
// target, Host, Content-Type, all X-Amz- fields and the body. The time is now, or
// that in the request's X-Amz-Date. What interceptors add is signed, too; what a
// proxy changes breaks the signature.
//
// The body is signed if it is in memory. For a stream, give its SHA-256 in the
// header X-Amz-Content-Sha256, or UNSIGNED-PAYLOAD where the service takes that;
// for s3 that is done by itself. Elsewhere a stream without is ErrInvalidRequest.
//
// Keys, region and service must be there, and the latter two have letters, digits
// and - only. The signature is made in Go: libcurl's own before version 8 signs
// fields that it does not send, and queries that are not in order. For what is said
// of all ...Auth options see [BasicAuth]. In place of CURLOPT_AWS_SIGV4.
func AWSSigV4Auth(c AWSSigV4) Option {
	if c.Provider == "" {
		c.Provider = "aws:amz"
	}
	return both(auth{credentials: credentials{schemes: AuthAWSSigV4}, aws: c})
}

// AWSSigV4 returns what to sign with.
func (r *RequestConfig) AWSSigV4() (c AWSSigV4, ok bool) {
	s, _ := lookup[auth](r)
	return s.aws, s.schemes == AuthAWSSigV4
}

func (c AWSSigV4) check() error {
	const option = "AWSSigV4Auth"
	for _, p := range []struct{ what, text string }{
		{"access key", c.AccessKeyID}, {"secret key", c.SecretAccessKey}, {"session token", c.SessionToken},
	} {
		switch {
		case p.text == "" && p.what != "session token":
			return invalid(option, "xxxxx", "the %s is empty", p.what)
		case len(p.text) > maxCredential:
			return invalid(option, "xxxxx", "the %s is longer than %d bytes", p.what, maxCredential)
		}
		for i := range len(p.text) {
			if b := p.text[i]; b <= ' ' || b >= 0x7f {
				return invalid(option, "xxxxx", "the %s has a blank, a control character or one that is not ASCII at byte %d", p.what, i)
			}
		}
	}
	if strings.ContainsAny(c.AccessKeyID, "/,") {
		return invalid(option, "xxxxx", "the access key has a slash or comma")
	}
	prefix, name, two := strings.Cut(c.Provider, ":")
	for _, p := range []struct{ what, text string }{
		{"region", c.Region}, {"service", c.Service}, {"provider", prefix}, {"provider", name},
	} {
		if p.text == "" && p.what == "provider" && !two && prefix != "" {
			continue
		}
		if p.text == "" {
			return invalid(option, c.String(), "the %s is empty", p.what)
		}
		if len(p.text) > 64 || strings.Trim(p.text, awsNameBytes) != "" {
			return invalid(option, c.String(), "the %s is no name of up to 64 letters, digits and hyphens", p.what)
		}
	}
	return nil
}

const awsNameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

// String says where to, not with what.
func (c AWSSigV4) String() string { return c.Region + " " + c.Service }
