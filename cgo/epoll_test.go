//go:build linux && !ratmom_poll

package cgo_test

// portable tells that the loop is the twin over curl_multi_poll.
const portable = false
