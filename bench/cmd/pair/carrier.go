package main

import "errors"

// carrier is what connects two ends.
type carrier interface {
	// caller makes somebody who calls, one call at a time: the function has its request
	// echoed, and fails if the answer is not as long.
	caller() (call func(req []byte) error, err error)
	// reader makes somebody who opens streams, one at a time: the function opens one and
	// reads so many messages of such a size, to the end.
	reader() (read func(messages, size int) error, err error)
	// flood sends the message over one stream while more says so, and returns when all has
	// been read.
	flood(message []byte, more func() bool) error
	// open opens a stream that stays open without messages.
	open() error
	// cut resets the connection and returns when a call has been answered again.
	cut() error
	close()
}

var errUnable = errors.New("the carrier cannot do that")

var errLength = errors.New("an answer of another length")
