package cookie

import (
	"math"
	"net/http"
	"strings"
	"time"
)

// received is a Set-Cookie field as its server meant it.
type received struct {
	name, value string

	domain   string // as it came; "" if there is none
	path     string // "" for the default
	hasPath  bool   // there was one, whether or not it was good
	secure   bool
	httpOnly bool
	sameSite http.SameSite

	expires *time.Time
	maxAge  *int64 // seconds, of any size
}

// parse reads a Set-Cookie field by section 5.6, which forgives nearly everything.
func parse(line string) (*received, error) {
	if i := strings.IndexFunc(line, control); i >= 0 {
		return nil, rejected("it has the control character %q", line[i])
	}
	pair, attributes, _ := strings.Cut(line, ";")
	r := &received{}
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		name, value = "", pair
	}
	r.name, r.value = trim(name), trim(value)
	if err := checkPair(r.name, r.value); err != nil {
		return nil, err
	}
	for attributes != "" {
		var a string
		a, attributes, _ = strings.Cut(attributes, ";")
		key, value, _ := strings.Cut(a, "=")
		r.attribute(trim(key), trim(value))
	}
	return r, nil
}

// checkPair holds name and value to what all cookies must keep.
func checkPair(name, value string) error {
	switch {
	case name == "" && value == "":
		return rejected("it has neither name nor value")
	case len(name)+len(value) > MaxSize:
		return rejected("name and value have %d bytes, more than %d", len(name)+len(value), MaxSize)
	case strings.IndexFunc(name, control) >= 0 || strings.IndexFunc(value, control) >= 0:
		return rejected("it has a control character")
	case strings.Contains(name, "\t"):
		// Allowed by the RFC. curl refuses it too: the Netscape form could not have it.
		return rejected("the name has a tab")
	case name == "" && (hasPrefix(value, secureName) || hasPrefix(value, hostName) || hasPrefix(value, httpName)):
		return rejected("the value looks like a name with a prefix")
	}
	return nil
}

// The prefixes of names that promise something. The last two are of the RFC's successor
// (draft-ietf-httpbis-layered-cookies), and browsers keep to them.
const (
	secureName   = "__secure-"
	hostName     = "__host-"
	httpName     = "__http-"
	hostHTTPName = "__host-http-"
)

// hasPrefix takes a prefix in small letters.
func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && lower(s[:len(prefix)]) == prefix
}

// control finds what no cookie may have: the control characters but the tab.
func control(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

func trim(s string) string { return strings.Trim(s, " \t") }

// attribute takes one attribute. What is not known or has no meaning is ignored.
func (r *received) attribute(key, value string) {
	if len(value) > maxAttribute {
		return
	}
	switch lower(key) {
	case "expires":
		if t, ok := parseDate(value); ok {
			r.expires = &t
		}
	case "max-age":
		if n, ok := parseAge(value); ok {
			r.maxAge = &n
		}
	case "domain":
		r.domain = value
	case "path":
		r.hasPath = true
		r.path = value
	case "secure":
		r.secure = true
	case "httponly":
		r.httpOnly = true
	case "samesite":
		r.sameSite = parseSameSite(value)
	}
}

// parseAge reads a number of any length.
func parseAge(s string) (int64, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	if negative {
		return -1, true
	}
	n := int64(0)
	for i := range len(digits) {
		if n > math.MaxInt64/10-1 {
			return math.MaxInt64, true
		}
		n = n*10 + int64(digits[i]-'0')
	}
	return n, true
}

func parseSameSite(s string) http.SameSite {
	switch lower(s) {
	case "strict":
		return http.SameSiteStrictMode
	case "lax":
		return http.SameSiteLaxMode
	case "none":
		return http.SameSiteNoneMode
	}
	return 0
}

// fromHTTP is parse for what net/http has made of a Set-Cookie field, or a program of its
// own wishes.
func fromHTTP(c *http.Cookie) (*received, error) {
	r := &received{
		name: trim(c.Name), value: c.Value,
		domain: c.Domain, path: c.Path, hasPath: c.Path != "",
		secure: c.Secure, httpOnly: c.HttpOnly,
	}
	if c.Quoted {
		r.value = `"` + c.Value + `"`
	}
	if err := checkPair(r.name, r.value); err != nil {
		return nil, err
	}
	if c.SameSite > http.SameSiteDefaultMode {
		r.sameSite = c.SameSite
	}
	// What net/http could not read is there as text.
	if c.RawExpires != "" && c.Expires.IsZero() {
		r.attribute("expires", c.RawExpires)
	}
	for _, a := range c.Unparsed {
		key, value, _ := strings.Cut(a, "=")
		r.attribute(trim(key), trim(value))
	}
	if !c.Expires.IsZero() {
		r.expires = &c.Expires
	}
	if c.MaxAge != 0 {
		n := int64(c.MaxAge)
		r.maxAge = &n
	}
	return r, nil
}

// cookie makes of r what a jar keeps of it, if it came from t at the time now.
func (r *received) cookie(t target, now time.Time) (*Cookie, error) {
	c := &Cookie{
		Name: r.name, Value: r.value, Path: r.path,
		Secure: r.secure, HTTPOnly: r.httpOnly, SameSite: r.sameSite,
		Created: now, Used: now, Expires: r.end(now),
	}
	var err error
	if c.Domain, c.HostOnly, err = cookieDomain(t.host, r.domain); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = defaultPath(t.path)
	}
	if c.Secure && !t.secure {
		return nil, rejected("it is Secure and came over http")
	}
	if hasPrefix(r.name, hostName) && !r.hasPath {
		return nil, rejected("__Host- needs Path=/")
	}
	return c, c.check()
}

// end is when the cookie expires.
func (r *received) end(now time.Time) time.Time {
	latest := now.Add(MaxAge)
	switch {
	case r.maxAge != nil && *r.maxAge <= 0:
		return longAgo
	case r.maxAge != nil && *r.maxAge < int64(MaxAge/time.Second):
		return now.Add(time.Duration(*r.maxAge) * time.Second)
	case r.maxAge != nil:
		return latest
	case r.expires == nil:
		return time.Time{}
	case r.expires.After(latest):
		return latest
	case r.expires.Before(longAgo):
		return longAgo // the zero time has a meaning of its own
	}
	return r.expires.UTC()
}

// longAgo stands for all times that are past for everybody.
var longAgo = time.Unix(0, 0).UTC()

// check holds a cookie, new or loaded, to what its attributes promise.
func (c *Cookie) check() error {
	switch {
	case strings.IndexFunc(c.Path, control) >= 0 || strings.Contains(c.Path, "\t"):
		return rejected("the path has a control character")
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return rejected("SameSite=None needs Secure")
	case hasPrefix(c.Name, secureName) && !c.Secure:
		return rejected("__Secure- needs Secure")
	case hasPrefix(c.Name, hostName) && (!c.Secure || !c.HostOnly || c.Path != "/"):
		return rejected("__Host- needs Secure, Path=/ and no Domain")
	case (hasPrefix(c.Name, httpName) || hasPrefix(c.Name, hostHTTPName)) && (!c.Secure || !c.HTTPOnly):
		return rejected("__Http- and __Host-Http- need Secure and HttpOnly")
	}
	return nil
}
