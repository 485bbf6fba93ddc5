package config

import (
	"fmt"
	"strconv"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/failure"
)

// Error reports an option whose value is out of range, or that asks for what this
// libcurl cannot do.
type Error struct {
	Option string       // the option's name as in the code: "Timeout"
	Value  any          // what it was given, secrets masked
	Reason string       // what is wrong with it
	Kind   failure.Kind // InvalidOption or Unsupported
}

// Error returns one line: the option, its value, the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("config.%s(%s): %s", e.Option, valueText(e.Value), e.Reason)
}

// Unwrap returns the kind, so that errors.Is finds it.
func (e *Error) Unwrap() error { return e.Kind }

// maxShown bounds how much of a value an error repeats, in bytes.
const maxShown = 128

func valueText(v any) string {
	s, ok := v.(string)
	if !ok {
		return fmt.Sprint(v)
	}
	if len(s) > maxShown {
		return strconv.Quote(s[:maxShown]) + "…"
	}
	return strconv.Quote(s)
}

func invalid(option string, value any, reason string, args ...any) error {
	if len(args) > 0 {
		reason = fmt.Sprintf(reason, args...)
	}
	return &Error{Option: option, Value: value, Reason: reason, Kind: failure.InvalidOption}
}

// unsupported says what the libcurl at hand would need to have.
func unsupported(f *cgo.FeatureSet, option string, value any, needs string) error {
	return &Error{
		Option: option, Value: value, Kind: failure.Unsupported,
		Reason: fmt.Sprintf("libcurl %s cannot do this: it needs %s", f.VersionString, needs),
	}
}
