package hsts

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ratmom/ratmom/internal/wholefile"
)

const (
	maxFile = 4 << 20
	// layout is curl's.
	layout    = "20060102 15:04:05"
	unlimited = "unlimited"
)

// Open makes a cache with what is in the file at path. There need be none; "" keeps
// the cache in memory alone. Lines that are not as they should be are passed over, as
// curl does.
func Open(path string) (*Cache, error) {
	c := newCache(path)
	if path == "" {
		return c, nil
	}
	b, err := wholefile.Read(path, maxFile)
	if err != nil {
		return nil, err
	}
	c.load(b)
	return c, nil
}

func (c *Cache) load(b []byte) {
	now := c.now()
	for line := range bytes.Lines(b) {
		name, e, ok := parseLine(strings.TrimSpace(string(line)))
		if !ok || !now.Before(e.until) {
			continue
		}
		if old, ok := c.hosts[name]; ok { // the stricter of both
			e.below = e.below || old.below
			if old.until.After(e.until) {
				e.until = old.until
			}
		} else if len(c.hosts) >= maxHosts {
			return
		}
		c.hosts[name] = e
	}
}

// parseLine reads `example.org "20300131 10:00:00"`, with a dot in front if it holds
// for what is below, too.
func parseLine(line string) (name string, e entry, ok bool) {
	host, date, ok := strings.Cut(line, " ")
	if !ok || strings.HasPrefix(line, "#") {
		return "", e, false
	}
	host, e.below = strings.CutPrefix(host, ".")
	name = canonical(host)
	date, open := strings.CutPrefix(strings.TrimSpace(date), `"`)
	date, closed := strings.CutSuffix(date, `"`)
	if name == "" || !open || !closed {
		return "", e, false
	}
	if date == unlimited {
		e.until = forever
		return name, e, true
	}
	t, err := time.Parse(layout, date)
	e.until = t
	return name, e, err == nil
}

// Save writes what has changed to the file, in the place of what was there.
func (c *Cache) Save() error {
	if c == nil || c.path == "" {
		return nil
	}
	c.mu.Lock()
	changed, hosts := c.changed, maps.Clone(c.hosts)
	c.changed = false
	c.mu.Unlock()
	if !changed {
		return nil
	}
	now := c.now()
	err := wholefile.Write(c.path, func(w io.Writer) error {
		_, err := io.WriteString(w, "# Your HSTS cache. https://curl.se/docs/hsts.html\n")
		for _, name := range slices.Sorted(maps.Keys(hosts)) {
			if e := hosts[name]; now.Before(e.until) && err == nil {
				_, err = io.WriteString(w, formatLine(name, e))
			}
		}
		return err
	})
	if err != nil {
		c.mu.Lock()
		c.changed = true
		c.mu.Unlock()
	}
	return err
}

func formatLine(name string, e entry) string {
	dot, date := "", unlimited
	if e.below {
		dot = "."
	}
	if !e.until.Equal(forever) {
		date = e.until.UTC().Format(layout)
	}
	return fmt.Sprintf("%s%s \"%s\"\n", dot, name, date)
}
