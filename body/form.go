package body

import "net/url"

// Form is the fields of a form, sorted by name, with the type
// application/x-www-form-urlencoded. Forms with files are [Multipart].
func Form(fields url.Values) *Content {
	return Data("application/x-www-form-urlencoded", []byte(fields.Encode()))
}
