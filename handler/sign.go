package handler

import (
	"net/http"
	"strings"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/sigv4"
)

// signer signs the request by AWS Signature Version 4.
type signer struct {
	key     sigv4.Key
	payload string
}

// hashBody takes the hash of a body in memory.
func (h *Handler) hashBody() {
	b, ok := h.source.Bytes()
	if !ok {
		return
	}
	if n, err := headerLength(h.spec.Request.Header); err == nil && !h.plan.RoundTripper && n >= 0 && n < int64(len(b)) {
		b = b[:n]
	}
	h.bodyHash = sigv4.Hash(b)
}

// newSigner returns nil if the request has a signature of its own.
func (h *Handler) newSigner() (*signer, error) {
	c, _ := h.plan.Config.AWSSigV4()
	if _, own := h.values("Authorization"); own {
		return nil, nil
	}
	s := &signer{key: sigv4.Key{
		ID: c.AccessKeyID, Secret: c.SecretAccessKey, Token: c.SessionToken,
		Region: c.Region, Service: c.Service, Provider: c.Provider,
	}}
	if v := h.field(s.key.Field("content-sha256")); v != "" {
		s.payload = v
		return s, nil
	}
	if h.source.IsNone() {
		s.payload = sigv4.Hash(nil)
		return s, nil
	}
	if h.bodyHash != "" {
		s.payload = h.bodyHash
		return s, nil
	}
	if !s.key.IsS3() {
		return nil, failure.Newf(failure.InvalidRequest, "the body is a stream and cannot be signed: give its SHA-256 in the header %s",
			s.key.Field("content-sha256"))
	}
	s.payload = sigv4.Unsigned
	return s, nil
}

// addSignature lists the Host field and the signature, or nothing if the request has a
// signature of its own.
func (h *Handler) addSignature(l *headerLines) (done bool, err error) {
	s, err := h.newSigner()
	if s == nil || err != nil {
		return false, err
	}
	host, err := h.sentHost()
	if err != nil {
		return false, err
	}
	l.Add("Host: ", host)
	return true, h.sign(l, s, host)
}

// sign adds the signature and what it needs.
func (h *Handler) sign(l *headerLines, s *signer, host string) error {
	r := sigv4.Request{Method: h.method, Host: host, Target: h.target, Header: http.Header{}, Payload: s.payload}
	prefix := strings.TrimSuffix(s.key.Field("x"), "X")
	for _, header := range h.headers() {
		for k, vv := range header {
			name := http.CanonicalHeaderKey(k)
			if (name == "Content-Type" || strings.HasPrefix(name, prefix)) && !hasHeader(r.Header, name) && len(vv) > 0 {
				r.Header[name] = vv
			}
		}
	}
	add := func(name, value string) {
		if !hasHeader(r.Header, name) {
			r.Header[name] = []string{value}
			l.Add(name, ": ", value)
		}
	}
	date := s.key.Field("date")
	now := time.Now().UTC()
	if v := h.field(date); v != "" {
		t, err := time.Parse(sigv4.TimeFormat, v)
		if err != nil {
			return failure.Newf(failure.InvalidRequest, "header %s: %q is not of the form %s", date, v, sigv4.TimeFormat)
		}
		now = t
	}
	add(date, now.Format(sigv4.TimeFormat))
	if s.key.Token != "" {
		add(s.key.Field("security-token"), s.key.Token)
	}
	if s.key.IsS3() {
		add(s.key.Field("content-sha256"), s.payload)
	}
	l.Add("Authorization: ", s.key.Sign(r, now))
	return nil
}

// headers are those that the fields come from, the first first.
func (h *Handler) headers() []http.Header {
	if h.plan.Raw {
		return []http.Header{h.spec.Request.Header}
	}
	return []http.Header{h.spec.Request.Header, h.plan.Defaults}
}

// values is the field of the request, or by default.
func (h *Handler) values(name string) (vv []string, ok bool) {
	for _, header := range h.headers() {
		for k, vv := range header {
			if strings.EqualFold(k, name) {
				return vv, true
			}
		}
	}
	return nil, false
}

// field is the field's first value.
func (h *Handler) field(name string) string {
	vv, _ := h.values(name)
	if len(vv) == 0 {
		return ""
	}
	return strings.Trim(vv[0], " \t")
}

// sentHost is the host as in the Host field: without the port that the scheme has by
// itself.
func (h *Handler) sentHost() (string, error) {
	req := h.spec.Request
	if req.Host != "" && req.Host != req.URL.Host {
		if a, err := asciiHost(req.Host); err == nil {
			return a, nil
		}
		return req.Host, nil
	}
	host, err := asciiHost(req.URL.Host)
	if err != nil {
		return "", err
	}
	if p := req.URL.Port(); p == "" || p == "80" && req.URL.Scheme == "http" || p == "443" && req.URL.Scheme == "https" {
		host = hostOnly(host)
	}
	return host, nil
}
