package server

import (
	"iter"

	"github.com/ratmom/ratmom/internal/http1"
)

// What RFC 9110, section 5, lets stand in names and values, and what may be in a target.
var (
	isToken  = http1.Token
	isValue  = http1.Value
	isTarget http1.Set
)

func init() {
	for c := '!'; c <= '~'; c++ {
		isTarget[c] = c != '#'
	}
}

// all reports whether b has only octets of the set.
func all[T string | []byte](b T, set *http1.Set) bool { return http1.All(b, set) }

func lower(c byte) byte { return http1.Lower(c) }

// equalFold compares with a text in lower case, in ASCII.
func equalFold[T string | []byte](b T, text string) bool { return http1.EqualFold(b, text) }

// trim drops spaces and tabs at both ends.
func trim[T string | []byte](b T) T { return http1.Trim(b) }

// element takes the next element off a comma-separated list.
func element[T string | []byte](list T) (first, rest T) { return http1.Element(list) }

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
