// Package valid checks requests before a byte of them is sent. libcurl sends
// what it is given, a line break in a header value too, so nothing unchecked may
// reach it. Every error is a *failure.Error of kind InvalidRequest that names
// the part at fault; header values are not quoted, since they may be secret.
package valid
