package cookie

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Jar keeps cookies and says which of them go to a URL. The zero value is an empty
// jar. It can be used by several goroutines, and must not be copied.
//
// Cookies are found by their domain: how many others there are makes no difference.
type Jar struct {
	mu      sync.Mutex
	domains map[string][]*entry
	secure  map[string][]*entry // the Secure ones by name
	count   int
	tick    uint64 // orders what happens at one time of the clock
}

var _ http.CookieJar = (*Jar)(nil)

// entry is a cookie in a jar.
type entry struct {
	Cookie
	born, used uint64 // ticks
}

// Set takes a Set-Cookie field, without its name, that came from u. If the cookie is
// not allowed the error says why, and is [ErrRejected]. A cookie that has expired removes the one
// that was there, without an error.
func (j *Jar) Set(u *url.URL, setCookie string) error {
	r, err := parse(setCookie)
	if err != nil {
		return err
	}
	return j.take(u, r)
}

// SetCookieHeaders takes the Set-Cookie fields of a response from u. What is not
// allowed is left out.
func (j *Jar) SetCookieHeaders(u *url.URL, fields []string) {
	for _, f := range fields {
		_ = j.Set(u, f)
	}
}

// SetCookies does it for cookies that are parsed already. Of those that net/http
// could not read it has nothing: use [Jar.SetCookieHeaders] for all.
func (j *Jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		if c == nil {
			continue
		}
		if r, err := fromHTTP(c); err == nil {
			_ = j.take(u, r)
		}
	}
}

// take stores a cookie as section 5.7 says.
func (j *Jar) take(u *url.URL, r *received) error {
	t, ok := targetOf(u)
	if !ok {
		return rejected("it does not come from an http or https URL")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	c, err := r.cookie(t, now)
	if err != nil {
		return err
	}
	if !t.secure && j.covers(c, now) {
		return rejected("it came over http and a Secure cookie has its name")
	}
	j.store(c, j.next(), now)
	j.limit(c.Domain, now)
	return nil
}

// covers reports whether a Secure cookie keeps c out, which has come over http: one with
// its name that would be sent where c would.
func (j *Jar) covers(c *Cookie, now time.Time) bool {
	return slices.ContainsFunc(j.secure[c.Name], func(e *entry) bool {
		return !e.expired(now) && pathMatch(c.Path, e.Path) &&
			(domainMatch(c.Domain, e.Domain) || domainMatch(e.Domain, c.Domain))
	})
}

// store puts c over the cookie that has its name, domain and path.
func (j *Jar) store(c *Cookie, born uint64, now time.Time) {
	e := &entry{Cookie: *c, born: born, used: j.next()}
	list := j.domains[c.Domain]
	i := slices.IndexFunc(list, func(o *entry) bool {
		return o.Name == c.Name && o.Path == c.Path && o.HostOnly == c.HostOnly
	})
	if i >= 0 {
		old := list[i]
		if !old.expired(now) {
			e.Created, e.born = old.Created, old.born
		}
		j.remove(c.Domain, func(o *entry) bool { return o == old })
	}
	if e.expired(now) {
		return
	}
	if j.domains == nil {
		j.domains, j.secure = make(map[string][]*entry), make(map[string][]*entry)
	}
	j.domains[c.Domain] = append(j.domains[c.Domain], e)
	j.count++
	if c.Secure {
		j.secure[c.Name] = append(j.secure[c.Name], e)
	}
}

func (j *Jar) next() uint64 {
	j.tick++
	return j.tick
}

// remove takes those that f chooses from a domain, and returns how many they were.
func (j *Jar) remove(domain string, f func(*entry) bool) int {
	n := 0
	filter(j.domains, domain, func(e *entry) bool {
		if !f(e) {
			return false
		}
		n++
		if e.Secure {
			filter(j.secure, e.Name, func(o *entry) bool { return o == e })
		}
		return true
	})
	j.count -= n
	return n
}

// filter deletes those that f chooses from the list of key, and an empty list.
func filter(m map[string][]*entry, key string, f func(*entry) bool) {
	if list := slices.DeleteFunc(m[key], f); len(list) > 0 {
		m[key] = list
	} else {
		delete(m, key)
	}
}

// CookieHeader returns the Cookie field for a request of u, without its name; "" if there
// are no cookies for it.
func (j *Jar) CookieHeader(u *url.URL) string {
	list := j.pick(u)
	var b strings.Builder
	for i := range list {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(list[i].pair())
	}
	return b.String()
}

// Cookies returns the cookies for a request of u, in the order in which they are sent.
// Those without a name are left out: an [http.Request] would give them an equals sign.
func (j *Jar) Cookies(u *url.URL) []*http.Cookie {
	list := j.pick(u)
	var out []*http.Cookie
	for i := range list {
		c := &list[i]
		if c.Name == "" {
			continue
		}
		h := &http.Cookie{Name: c.Name, Value: c.Value}
		if n := len(c.Value); n > 1 && c.Value[0] == '"' && c.Value[n-1] == '"' {
			h.Value, h.Quoted = c.Value[1:n-1], true
		}
		out = append(out, h)
	}
	return out
}

// pick returns the cookies for u, as section 5.8.3 says, and notes that they
// were used.
func (j *Jar) pick(u *url.URL) []Cookie {
	t, ok := targetOf(u)
	if !ok {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == 0 {
		return nil
	}
	now := time.Now()
	var found []*entry
	for domain := range parents(t.host) {
		list := j.domains[domain]
		gone := false
		for _, e := range list {
			switch {
			case e.expired(now):
				gone = true
			case e.HostOnly && domain != t.host:
			case e.matches(t):
				found = append(found, e)
			}
		}
		if gone {
			j.remove(domain, func(e *entry) bool { return e.expired(now) })
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), a.age(b))
	})
	out := make([]Cookie, len(found))
	for i, e := range found {
		e.Used, e.used = now, j.next()
		out[i] = e.Cookie
	}
	return out
}

// age orders by creation.
func (e *entry) age(o *entry) int {
	return cmp.Or(e.Created.Compare(o.Created), cmp.Compare(e.born, o.born))
}

// idle orders by the last use.
func (e *entry) idle(o *entry) int {
	return cmp.Or(e.Used.Compare(o.Used), cmp.Compare(e.used, o.used))
}

// limit removes what is too much, a cookie of domain having been added.
func (j *Jar) limit(domain string, now time.Time) {
	old := func(e *entry) bool { return e.expired(now) }
	if len(j.domains[domain]) > MaxPerDomain {
		j.remove(domain, old)
	}
	for len(j.domains[domain]) > MaxPerDomain {
		last := slices.MinFunc(j.domains[domain], func(a, b *entry) int {
			return cmp.Or(compareBool(a.Secure, b.Secure), a.idle(b))
		})
		j.remove(domain, func(e *entry) bool { return e == last })
	}
	if j.count > MaxCookies {
		for d := range j.domains {
			j.remove(d, old)
		}
	}
	for j.count > MaxCookies {
		var last *entry
		for _, list := range j.domains {
			for _, e := range list {
				if last == nil || e.idle(last) < 0 {
					last = e
				}
			}
		}
		j.remove(last.Domain, func(e *entry) bool { return e == last })
	}
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// All returns the cookies that have not expired, the oldest first.
func (j *Jar) All() []Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	found := make([]*entry, 0, j.count)
	for _, list := range j.domains {
		for _, e := range list {
			if !e.expired(now) {
				found = append(found, e)
			}
		}
	}
	slices.SortFunc(found, (*entry).age)
	all := make([]Cookie, len(found))
	for i, e := range found {
		all[i] = e.Cookie
	}
	return all
}

// Remove removes the cookie of that name from the domain and path where it was set,
// and reports whether there was one.
func (j *Jar) Remove(domain, path, name string) bool {
	domain, _ = canonicalHost(strings.TrimPrefix(domain, "."))
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.remove(domain, func(e *entry) bool { return e.Name == name && e.Path == path }) > 0
}

// Clear removes all cookies.
func (j *Jar) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.domains, j.secure, j.count = nil, nil, 0
}

// EndSession removes the cookies that have no time at which they expire.
func (j *Jar) EndSession() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for domain := range j.domains {
		j.remove(domain, func(e *entry) bool { return e.Expires.IsZero() })
	}
}
