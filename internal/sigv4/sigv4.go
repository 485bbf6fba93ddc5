// Package sigv4 signs requests with Signature Version 4 of AWS.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// TimeFormat is that of the date in a signed request.
const TimeFormat = "20060102T150405Z"

// Unsigned stands in the place of a body's hash where the body is not signed.
const Unsigned = "UNSIGNED-PAYLOAD"

// Key is who signs, and for what.
type Key struct {
	ID, Secret, Token string
	Region, Service   string
	// Provider has the two names in "aws:amz"; one stands for both.
	Provider string
}

// Request is what is signed.
type Request struct {
	Method string
	Host   string // as sent
	Target string // of the request line, in origin form
	// Header has the other fields to sign, by their names in canonical form.
	Header http.Header
	// Payload is the SHA-256 of the body in hexadecimal digits, or [Unsigned].
	Payload string
}

// Hash is the payload of a body in memory.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func (k Key) names() (algorithm, field string) {
	algorithm, field, ok := strings.Cut(k.Provider, ":")
	if !ok {
		field = algorithm
	}
	return algorithm, field
}

// Field is the name of a header field of the provider, as in "X-Amz-Date".
func (k Key) Field(name string) string {
	_, field := k.names()
	return http.CanonicalHeaderKey("x-" + field + "-" + name)
}

// IsS3 reports whether the service is one of those that take paths as they are, want
// the payload in a field, and take it unsigned.
func (k Key) IsS3() bool { return k.Service == "s3" || strings.HasPrefix(k.Service, "s3-") }

// Sign returns the value of Authorization. r.Header must have the date, as t says.
func (k Key) Sign(r Request, t time.Time) string {
	name, _ := k.names()
	algorithm := strings.ToUpper(name) + "4-HMAC-SHA256"
	date := t.UTC().Format(TimeFormat)
	last := strings.ToLower(name) + "4_request"
	scope := strings.Join([]string{date[:8], k.Region, k.Service, last}, "/")
	text, signed := k.canonical(r)
	toSign := strings.Join([]string{algorithm, date, scope, Hash([]byte(text))}, "\n")
	key := []byte(strings.ToUpper(name) + "4" + k.Secret)
	for _, part := range []string{date[:8], k.Region, k.Service, last, toSign} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part)) // never fails
		key = m.Sum(nil)
	}
	return algorithm + " Credential=" + k.ID + "/" + scope + ", SignedHeaders=" + signed +
		", Signature=" + hex.EncodeToString(key)
}

// canonical returns the canonical request, and the names of its fields.
func (k Key) canonical(r Request) (text, signed string) {
	fields := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.FieldsFunc(v, isBlank), " ")
		}
		fields[strings.ToLower(name)] = strings.Join(trimmed, ",")
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	signed = strings.Join(names, ";")
	p, query, _ := strings.Cut(r.Target, "?")
	var b strings.Builder
	b.WriteString(r.Method + "\n" + k.canonicalPath(p) + "\n" + canonicalQuery(query) + "\n")
	for _, name := range names {
		b.WriteString(name + ":" + fields[name] + "\n")
	}
	b.WriteString("\n" + signed + "\n" + r.Payload)
	return b.String(), signed
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' }

// canonicalPath is the path, escaped once more: it is sent escaped already. S3
// knows paths by what they mean, and leaves their dots and slashes alone.
func (k Key) canonicalPath(p string) string {
	if k.IsS3() {
		return escape(unescape(p, false), true)
	}
	clean := path.Clean("/" + p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return escape(clean, true)
}

func canonicalQuery(query string) string {
	var pairs []string
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		// The byte between sorts before all others: by name first, then by value.
		pairs = append(pairs, escape(unescape(name, true), false)+"\x00"+escape(unescape(value, true), false))
	}
	slices.Sort(pairs)
	return strings.ReplaceAll(strings.Join(pairs, "&"), "\x00", "=")
}

// unescape undoes percent-encoding; what is none stays.
func unescape(s string, plus bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.WriteByte(c[0])
				i += 2
				continue
			}
		}
		if plus && s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escape percent-encodes all but RFC 3986's unreserved characters.
func escape(s string, path bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', path && c == '/':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
