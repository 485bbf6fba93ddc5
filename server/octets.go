package server

import "iter"

// What RFC 9110, section 5, lets stand in names and values.
var isToken, isValue, isTarget [256]bool

func init() {
	for c := '!'; c <= '~'; c++ {
		isTarget[c] = c != '#'
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			isToken[c] = true
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		isToken[c] = true
	}
	for c := ' '; c <= 0xff; c++ {
		isValue[c] = c != 0x7f
	}
	isValue['\t'] = true
}

// all reports whether b has only octets of the set.
func all[T string | []byte](b T, set *[256]bool) bool {
	for i := 0; i < len(b); i++ {
		if !set[b[i]] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// equalFold compares with a text in lower case, in ASCII: Unicode's folding takes the Kelvin sign
// for a k.
func equalFold[T string | []byte](b T, text string) bool {
	if len(b) != len(text) {
		return false
	}
	for i := 0; i < len(b); i++ {
		if lower(b[i]) != text[i] {
			return false
		}
	}
	return true
}

// trim drops spaces and tabs at both ends.
func trim[T string | []byte](b T) T {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// element takes the next element off a comma-separated list.
func element[T string | []byte](list T) (first, rest T) {
	for i := 0; i < len(list); i++ {
		if list[i] == ',' {
			return trim(list[:i]), list[i+1:]
		}
	}
	return trim(list), list[len(list):]
}

// elements are those of a list that may be spread over several fields.
func elements(lists []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, list := range lists {
			for len(list) > 0 {
				var one string
				if one, list = element(list); !yield(one) {
					return
				}
			}
		}
	}
}
