package hsts

import (
	"strconv"
	"strings"
	"time"
)

// parse reads a field (section 6.1). One that is not as it must be is none.
func parse(field string) (age time.Duration, below, ok bool) {
	seen := map[string]bool{}
	for rest := field; ; {
		var name, value string
		var has bool
		if name, value, has, rest, ok = directive(rest); !ok {
			return 0, false, false
		}
		if name != "" {
			if seen[name] {
				return 0, false, false
			}
			seen[name] = true
		}
		switch name {
		case "max-age":
			if age, ok = seconds(value); !ok || !has {
				return 0, false, false
			}
		case "includesubdomains":
			if has {
				return 0, false, false
			}
			below = true
		}
		switch {
		case rest == "" && seen["max-age"]:
			return age, below, true
		case rest == "":
			return 0, false, false
		}
		rest = rest[1:] // the semicolon
	}
}

// directive takes one directive, "" if there is none, off the front of s. rest is
// empty or begins with a semicolon.
func directive(s string) (name, value string, has bool, rest string, ok bool) {
	s = trim(s)
	name, s = token(s)
	s = trim(s)
	if after, found := strings.CutPrefix(s, "="); found && name != "" {
		has = true
		s = trim(after)
		if strings.HasPrefix(s, `"`) {
			value, s, ok = quoted(s[1:])
		} else {
			value, s = token(s)
			ok = value != ""
		}
		if !ok {
			return "", "", false, "", false
		}
		s = trim(s)
	}
	return strings.ToLower(name), value, has, s, s == "" || s[0] == ';'
}

func trim(s string) string { return strings.TrimLeft(s, " \t") }

func token(s string) (token, rest string) {
	i := 0
	for i < len(s) && isToken(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isToken(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func quoted(s string) (text, rest string, ok bool) {
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

// seconds reads a max-age. A longer one than is believed is cut.
func seconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > int64(maxAge/time.Second) {
		return maxAge, true
	}
	return time.Duration(n) * time.Second, true
}
