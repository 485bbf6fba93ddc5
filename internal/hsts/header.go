package hsts

import (
	"strings"
	"time"

	"github.com/ratmom/ratmom/internal/field"
)

// parse reads a field (section 6.1). One that is not as it must be is none.
func parse(text string) (age time.Duration, below, ok bool) {
	seen := map[string]bool{}
	for rest := text; ; {
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
			if age, ok = field.Seconds(value, maxAge); !ok || !has {
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
	name, s = field.Token(s)
	s = trim(s)
	if after, found := strings.CutPrefix(s, "="); found && name != "" {
		has = true
		s = trim(after)
		if strings.HasPrefix(s, `"`) {
			value, s, ok = field.Quoted(s)
		} else {
			value, s = field.Token(s)
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
