package failure

import (
	"errors"
	"net/url"
	"strings"
)

// masked stands where userinfo was. Name and password both go: tokens are often
// given as the name.
const masked = "xxxxx"

// Mask returns u as text, its userinfo masked; "" if u is nil.
func Mask(u *url.URL) string {
	if u == nil {
		return ""
	}
	if u.User == nil {
		return u.String()
	}
	c := *u
	c.User = url.User(masked)
	return c.String()
}

// MaskText does for text that should be a URL what Mask does for one. Where the
// text is not a URL, everything from the scheme to the last @ is masked: in a
// malformed URL nobody knows where the userinfo ends.
func MaskText(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Opaque == "" && (u.Host != "" || u.User != nil) {
		if u.User == nil {
			return raw
		}
		return Mask(u)
	}
	at := strings.LastIndexByte(raw, '@')
	if at < 0 {
		return raw
	}
	start := 0
	if i := strings.Index(raw[:at], "://"); i >= 0 {
		start = i + len("://")
	}
	return raw[:start] + masked + raw[at:]
}

// ParseURL is url.Parse without its error, which has the whole text, a password too: this
// one is of kind InvalidRequest, and has the text masked.
func ParseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err == nil {
		return u, nil
	}
	var whole *url.Error
	if errors.As(err, &whole) {
		err = whole.Err
	}
	e := Wrap(InvalidRequest, err)
	e.URL = MaskText(raw)
	return nil, e
}
