package cookie

import (
	"net/http"
	"time"
)

// The limits of a jar.
const (
	MaxSize      = 4096                 // bytes of name and value together
	MaxPerDomain = 180                  // cookies with one domain
	MaxCookies   = 3000                 // cookies in all
	MaxAge       = 400 * 24 * time.Hour // how long a cookie lives at most
)

// maxAttribute is how long the value of an attribute may be, in bytes; a longer one
// is ignored.
const maxAttribute = 1024

// Cookie is a cookie as a jar keeps it.
type Cookie struct {
	Name  string // may be empty
	Value string // as the server sent it, with its quotes

	// Domain is the host that the cookie belongs to, in lower case and in ASCII,
	// without a dot before it.
	Domain string
	// HostOnly means that subdomains of Domain do not get the cookie.
	HostOnly bool
	// Path is the beginning of the paths that get the cookie.
	Path string

	Secure   bool // for https only
	HTTPOnly bool // not for scripts; says nothing to a program
	// SameSite is what the server said; 0 if it said nothing of meaning.
	SameSite http.SameSite

	// Expires is when the cookie ends; the zero time for one that lasts as long as
	// the session, that is, until [Jar.EndSession].
	Expires time.Time
	// Created is when the cookie was first set, Used when it was last set or sent.
	Created, Used time.Time
}

// String returns the cookie's name and place. The value is a secret.
func (c Cookie) String() string {
	host := c.Domain
	if !c.HostOnly {
		host = "." + host
	}
	return c.Name + "=xxxxx; " + host + c.Path
}

func (c *Cookie) expired(now time.Time) bool { return !c.Expires.IsZero() && !c.Expires.After(now) }

// pair is the cookie as the Cookie field has it.
func (c *Cookie) pair() string {
	if c.Name == "" {
		return c.Value
	}
	return c.Name + "=" + c.Value
}

// matches reports whether the cookie goes to t.
func (c *Cookie) matches(t target) bool {
	if c.HostOnly && c.Domain != t.host {
		return false
	}
	return (!c.Secure || t.secure) && pathMatch(t.path, c.Path)
}
