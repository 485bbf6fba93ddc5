package cgo

import "C"

// ratmom_beat does nothing. That it is called from within a step keeps Go's scheduler
// from taking the step for stuck; see beat.c. It is the one function of Go's that a
// libcurl callback calls.
//
//export ratmom_beat
func ratmom_beat() {}
