package altsvc

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ratmom/ratmom/internal/wholefile"
)

const (
	maxFile = 8 << 20
	// layout is curl's.
	layout = "20060102 15:04:05"
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
		o, e, ok := parseLine(strings.TrimSpace(string(line)))
		if !ok || !now.Before(e.until) {
			continue
		}
		list, had := c.origins[o]
		if !had && len(c.origins) >= maxOrigins {
			return
		}
		twice := slices.ContainsFunc(list, func(x entry) bool { return x.Service == e.Service })
		if len(list) < maxPerOrigin && !twice {
			c.origins[o] = append(list, e)
		}
	}
}

// The names of protocols in the file.
var (
	fromFile = map[string]string{"h1": "http/1.1", "h2": "h2", "h3": "h3"}
	toFile   = map[string]string{"http/1.1": "h1", "h2": "h2", "h3": "h3"}
)

// parseLine reads `h2 a.test 443 h3 b.test 8443 "20300131 10:00:00" 1 0`.
func parseLine(line string) (o origin, e entry, ok bool) {
	// The date has a space in it.
	f := strings.Fields(line)
	if len(f) != 10 || fromFile[f[0]] == "" || fromFile[f[3]] == "" {
		return o, e, false
	}
	o.host, e.Host = bare(f[1]), bare(f[4])
	srcPort, err1 := strconv.ParseUint(f[2], 10, 16)
	dstPort, err2 := strconv.ParseUint(f[5], 10, 16)
	until, err3 := time.Parse(`"`+layout+`"`, f[6]+" "+f[7])
	if err1 != nil || err2 != nil || err3 != nil || srcPort == 0 || dstPort == 0 || !plainHost(o.host) || !plainHost(e.Host) {
		return o, e, false
	}
	o.port, e.Port = int(srcPort), int(dstPort)
	e.source, e.Protocol, e.until, e.persist = f[0], fromFile[f[3]], until, f[8] == "1"
	return o, e, true
}

func bare(host string) string {
	host = strings.ToLower(host)
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return strings.TrimSuffix(host, ".")
}

// Save writes what has changed to the file, in the place of what was there.
func (c *Cache) Save() error {
	if c == nil || c.path == "" {
		return nil
	}
	c.mu.Lock()
	changed, origins := c.changed, make(map[origin][]entry, len(c.origins))
	for o, list := range c.origins {
		origins[o] = slices.Clone(list)
	}
	c.changed = false
	c.mu.Unlock()
	if !changed {
		return nil
	}
	now := c.now()
	byName := func(a, b origin) int { return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.port, b.port)) }
	err := wholefile.Write(c.path, func(w io.Writer) error {
		_, err := io.WriteString(w, "# Your alt-svc cache. https://curl.se/docs/alt-svc.html\n")
		for _, o := range slices.SortedFunc(maps.Keys(origins), byName) {
			for _, e := range origins[o] {
				if err == nil && now.Before(e.until) {
					_, err = io.WriteString(w, formatLine(o, e))
				}
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

func formatLine(o origin, e entry) string {
	persist := 0
	if e.persist {
		persist = 1
	}
	return fmt.Sprintf("%s %s %d %s %s %d \"%s\" %d 0\n", e.source, bracketed(o.host), o.port,
		toFile[e.Protocol], bracketed(e.Host), e.Port, e.until.UTC().Format(layout), persist)
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
