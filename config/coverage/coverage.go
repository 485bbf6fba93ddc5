// Package coverage says of every option of libcurl where it is found here, or why it
// is not. A test holds it against the libcurl that is installed, and docs/options.md
// is made from it.
package coverage

// Level is who can have an option.
type Level string

// The levels.
const (
	Client  Level = "client"
	Request Level = "request"
	Both    Level = "client, request"
	Code    Level = "code" // not an option but a part of the interface
)

// Reason is why an option of libcurl has no option of its own here.
type Reason string

// The reasons; there are no others.
const (
	NotHTTP    Reason = "not HTTP"
	Deprecated Reason = "deprecated"
	Engine     Reason = "owned by the engine"
	Replaced   Reason = "replaced"
)

// Entry is one option of libcurl.
type Entry struct {
	Option string // as in curl.h, without CURLOPT_
	Since  string // the libcurl that has it first, if that is newer than 7.88

	// What there is here: functions of package config or, with the level Code, of
	// the client, as "Request.Method".
	Names []string
	Level Level

	// Or why there is nothing, and what there is instead.
	Reason Reason
	Note   string
}

func option(name string, level Level, names ...string) Entry {
	return Entry{Option: name, Names: names, Level: level}
}

func since(version string, e Entry) Entry {
	e.Since = version
	return e
}

func without(name string, reason Reason, note string) Entry {
	return Entry{Option: name, Reason: reason, Note: note}
}

// Entries has all of them, by kind.
func Entries() []Entry {
	var all []Entry
	for _, part := range [][]Entry{
		message(), authentication(), proxies(), security(), versions(), network(), times(), engine(), deprecated(), foreign(),
	} {
		all = append(all, part...)
	}
	return all
}
