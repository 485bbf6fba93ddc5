// Package field reads the parts that values of header fields are made of (RFC 9110,
// section 5.6).
package field

import (
	"strconv"
	"strings"
	"time"
)

// Token takes a token, "" if there is none, off the front of s.
func Token(s string) (token, rest string) {
	i := 0
	for i < len(s) && isToken(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isToken(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// Quoted takes a quoted string off the front of s and undoes the quotes.
func Quoted(s string) (text, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, `"`); !ok {
		return "", "", false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// Seconds reads a number of seconds. More than most is cut to that.
func Seconds(s string, most time.Duration) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > int64(most/time.Second) {
		return most, true
	}
	return time.Duration(n) * time.Second, true
}
