package cookie

import (
	"errors"
	"fmt"
)

// ErrRejected is in the errors of [Jar.Set] for a cookie that the rules do not allow.
var ErrRejected = errors.New("cookie rejected")

func rejected(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRejected}, args...)...)
}

// A FormatError says where a saved jar is wrong.
type FormatError struct {
	Line int   // counted from 1; that where the cookie begins
	Err  error // what is wrong there
}

// Error names the line.
func (e *FormatError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *FormatError) Unwrap() error { return e.Err }
