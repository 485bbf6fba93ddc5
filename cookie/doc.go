// Package cookie has a cookie jar after RFC 6265bis that can be listed, saved and
// loaded.
//
//	jar := new(cookie.Jar)
//	if err := jar.LoadFile("cookies.txt", cookie.Netscape); err != nil && !errors.Is(err, fs.ErrNotExist) {
//		return err
//	}
//	client, err := ratmom.New(config.CookieJar(jar))
//	...
//	err = jar.SaveFile("cookies.txt", cookie.Netscape)
//
// A Jar is an [http.CookieJar], so that net/http's client can have it too. ratmom's
// client hands it the Set-Cookie fields as they came ([Jar.SetCookieHeaders]) and
// sends what [Jar.CookieHeader] says: nothing is lost on the way.
//
// # Rules
//
//   - A cookie may be set for a domain and its subdomains (the Domain attribute),
//     but not for a public suffix: the list is the one that is built into
//     golang.org/x/net/publicsuffix. The jar never asks the network.
//   - Secure cookies come from https and go to https; what comes over http does not
//     replace them, nor stand before them.
//   - Names that begin with __Secure-, __Host-, __Http- or __Host-Http-, in any case, are
//     held to what they promise. No value without a name begins like that.
//   - A tab in a name or path is refused, unlike in the RFC: cookies.txt could not
//     have it.
//   - SameSite=None without Secure is refused. SameSite is kept otherwise and does
//     not decide what is sent: a program has no site of its own.
//   - Max-Age wins over Expires. No cookie lives longer than [MaxAge].
//   - Cookies are sent with the longest path first, and the oldest first of those
//     with equal paths.
//   - The limits are [MaxSize], [MaxPerDomain] and [MaxCookies]. What is too much goes in
//     the order of the RFC: what has expired, then, of a domain that has too many, those
//     without Secure, then its others, then any; the one that was not used for the longest
//     time first.
package cookie
