package cgo

// GSSFlags are what a context of GSS-API is to do (RFC 2744, section 5.19).
type GSSFlags uint32

// The flags of delegation.
const (
	GSSDelegate         GSSFlags = 1     // always
	GSSDelegateByPolicy GSSFlags = 32768 // if the KDC vouches for the service
)
