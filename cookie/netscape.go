package cookie

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Netscape is the form of curl, wget and browsers' extensions, cookies.txt: a line for each
// cookie, with its domain, whether subdomains get it, path, whether it is Secure, expiry in
// seconds since 1970 or 0, name and value, with tabs between. Before the domain of an
// HttpOnly cookie stands "#HttpOnly_". SameSite and the times but the expiry are not kept;
// the order is.
var Netscape Format = netscape{}

type netscape struct{}

const (
	netscapeHeader = "# Netscape HTTP Cookie File\n\n"
	httpOnlyMark   = "#HttpOnly_"
	// maxLine is more than a cookie can need.
	maxLine = 64 << 10
)

func (netscape) write(w io.Writer, list []Cookie) error {
	b := bufio.NewWriter(w)
	_, _ = b.WriteString(netscapeHeader)
	for i := range list {
		c := &list[i]
		if c.HTTPOnly {
			_, _ = b.WriteString(httpOnlyMark)
		}
		if !c.HostOnly {
			_ = b.WriteByte('.')
		}
		expires := int64(0)
		if !c.Expires.IsZero() {
			// Up, so that it is not 0, and what is loaded does not end earlier.
			expires = c.Expires.Add(time.Second - 1).Unix()
		}
		_, _ = fmt.Fprintf(b, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			c.Domain, flag(!c.HostOnly), c.Path, flag(c.Secure), expires, c.Name, c.Value)
	}
	return b.Flush() // keeps the first error
}

func flag(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}

func (netscape) read(r io.Reader) ([]Cookie, error) {
	var list []Cookie
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSuffix(lines.Text(), "\r")
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		rest, httpOnly := strings.CutPrefix(line, httpOnlyMark)
		if !httpOnly && strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		c, err := parseNetscape(rest)
		if err != nil {
			return nil, &FormatError{n, err}
		}
		c.HTTPOnly = httpOnly
		list = append(list, *c)
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, &FormatError{n + 1, fmt.Errorf("longer than %d bytes", maxLine)}
		}
		return nil, err
	}
	return list, nil
}

func parseNetscape(line string) (*Cookie, error) {
	f := strings.SplitN(line, "\t", 7)
	if len(f) == 6 {
		f = append(f, "") // editors strip the tab before an empty value
	}
	if len(f) != 7 {
		return nil, fmt.Errorf("%d fields, not 7, with tabs between", len(f))
	}
	c := &Cookie{Domain: strings.TrimPrefix(f[0], "."), Path: f[2], Name: f[5], Value: f[6]}
	subdomains, err := parseFlag("subdomains", f[1])
	if err != nil {
		return nil, err
	}
	c.HostOnly = !subdomains
	if c.Secure, err = parseFlag("secure", f[3]); err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(f[4], 10, 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("expiry %q: must be seconds since 1970", f[4])
	case seconds < 0:
		c.Expires = longAgo
	case seconds > 0:
		c.Expires = time.Unix(min(seconds, lastSecond), 0).UTC()
	}
	return c, c.loaded()
}

// lastSecond is in the year 9999: later ones have no text.
const lastSecond = 253402300799

func parseFlag(name, s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "TRUE"):
		return true, nil
	case strings.EqualFold(s, "FALSE"):
		return false, nil
	}
	return false, fmt.Errorf("%s %q: must be TRUE or FALSE", name, s)
}
