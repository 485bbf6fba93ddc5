package cgo

// Verdict is what a turn of the loop asks for next.
type Verdict int

const (
	Again Verdict = iota // another turn at once
	Park                 // sleep until something stirs
	Stop                 // leave the loop
)
