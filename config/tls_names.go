package config

import "strings"

// tlsNames is a list of names in the words of the TLS library.
type tlsNames []string

func namesOf(names []string) tlsNames { return append(tlsNames(nil), names...) }

func (n tlsNames) String() string {
	if len(n) == 0 {
		return "the TLS library's"
	}
	return n.join()
}

func (n tlsNames) join() string { return strings.Join(n, ":") }

// check refuses what cannot be a name. Which names there are only the TLS library
// knows.
func (n tlsNames) check(option string) error {
	for _, name := range n {
		if name == "" {
			return invalid(option, name, "is not a name")
		}
		for i := range len(name) {
			c := name[i]
			if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.+!@=%", c) >= 0 {
				continue
			}
			return invalid(option, name, "has the character %q: give each name by itself", c)
		}
	}
	return nil
}
