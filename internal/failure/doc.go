// Package failure holds the one error type of the module: Error, its Kind, and
// the table that gives each of libcurl's result codes its kind.
package failure
