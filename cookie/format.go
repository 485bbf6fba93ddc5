package cookie

import (
	"io"
	"os"
	"slices"
	"time"

	"github.com/ratmom/ratmom/internal/wholefile"
)

// A Format is a form in which a jar is saved.
type Format interface {
	write(io.Writer, []Cookie) error
	read(io.Reader) ([]Cookie, error)
}

// Write writes the jar's cookies to w, those without an expiry too.
func (j *Jar) Write(w io.Writer, f Format) error { return f.write(w, j.All()) }

// Read adds the cookies in r to the jar, over those that have the same name, domain and
// path. It leaves out what has expired, and cookies for a domain that is a public
// suffix by now. After an error, a [*FormatError] if r is not in the form f, the jar is
// as it was.
func (j *Jar) Read(r io.Reader, f Format) error {
	list, err := f.read(r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	list = slices.DeleteFunc(list, func(c Cookie) bool {
		return c.expired(now) || !c.HostOnly && publicSuffix(c.Domain)
	})
	born := j.tick + 1
	j.tick += uint64(len(list))
	// Stored in the order in which they were used; the file's order is that of age.
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return list[a].Used.Compare(list[b].Used) })
	for _, i := range order[max(0, len(order)-MaxCookies):] {
		c := &list[i]
		if latest := now.Add(MaxAge); c.Expires.After(latest) {
			c.Expires = latest
		}
		// What is not known, or cannot be.
		if c.Created.IsZero() || c.Created.After(now) {
			c.Created = now
		}
		if c.Used.IsZero() || c.Used.After(now) {
			c.Used = now
		}
		j.store(c, born+uint64(i), now)
		j.limit(c.Domain, now)
	}
	return nil
}

// SaveFile writes the jar's cookies to the file. It is replaced as a whole or not at all; a
// new one only its owner may read, one that was there keeps its mode.
func (j *Jar) SaveFile(name string, f Format) error {
	return wholefile.Write(name, func(w io.Writer) error { return j.Write(w, f) })
}

// LoadFile reads the file as [Jar.Read] does. A file that is not there is an error that is
// [io/fs.ErrNotExist].
func (j *Jar) LoadFile(name string, f Format) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := j.Read(file, f); err != nil {
		return &os.PathError{Op: "load", Path: name, Err: err}
	}
	return nil
}

// loaded makes sure that a cookie from a file is one that could have been set.
func (c *Cookie) loaded() error {
	if err := checkPair(c.Name, c.Value); err != nil {
		return err
	}
	host, ok := canonicalHost(c.Domain)
	if !ok {
		return rejected("%q is not a domain", c.Domain)
	}
	c.Domain = host
	if len(c.Path) == 0 || c.Path[0] != '/' {
		return rejected("the path %q does not begin with a slash", c.Path)
	}
	return c.check()
}
