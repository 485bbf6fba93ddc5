// Package credentials has tests of how credentials are shown, and to whom: every
// scheme, to servers and proxies, over redirects, with request bodies.
package credentials
