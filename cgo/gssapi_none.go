//go:build !unix || darwin

package cgo

import "errors"

func haveGSSAPI() bool { return false }

// NegotiateToken is not there on this system.
func NegotiateToken(string, string, GSSFlags) ([]byte, error) {
	return nil, errors.New("GSS-API is not used on this system")
}
