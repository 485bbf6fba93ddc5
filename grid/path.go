package grid

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// checkPath says what is wrong with a path, which is to be one as RFC 3986 writes it (section 3.3), and to arrive
// at a handler as it is.
func checkPath(path string) error {
	if path == "" || path[0] != '/' {
		return errors.New("it must begin with a slash")
	}
	if strings.HasPrefix(path, "//") {
		return errors.New("it must begin with one slash alone")
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '?' || c == '#':
			return fmt.Errorf("it must have no query and no fragment: %q at byte %d", c, i)
		case c == '%':
			b, err := url.PathUnescape(path[i:min(i+3, len(path))])
			if err != nil || b[0] < ' ' || b[0] == 0x7f {
				return fmt.Errorf("the escape at byte %d must be of two digits, and not of a control character", i)
			}
			i += 2
		case !pathByte(c):
			return fmt.Errorf("%q at byte %d must be escaped, or not be there", c, i)
		}
	}
	parts := strings.Split(path, "/")
	if slices.Contains(parts, ".") || slices.Contains(parts, "..") {
		return errors.New("it must have no dot for a part, nor two: servers resolve them")
	}
	return nil
}

func pathByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@/", c) >= 0
}
