package config

import (
	"math"
	"time"
)

// Timeout limits the whole request: waiting for a connection, sending, the
// response's head, and reading its body to the end, over all redirects and
// authentication rounds. When it is over, the call, or the Read of the body,
// fails with a timeout error.
//
// Default: no limit. 0 means no limit. The context of the request can set a
// nearer deadline. The agent watches what is left for each transfer that the
// request takes; CURLOPT_TIMEOUT_MS is not used.
func Timeout(d time.Duration) Option { return both(timeout{d}) }

// TotalTimeout returns the value of [Timeout]; 0 if there is no limit.
func (r *RequestConfig) TotalTimeout() time.Duration {
	s, _ := lookup[timeout](r)
	return s.Duration
}

type timeout struct{ time.Duration }

func (s timeout) validate() error { return checkTime("Timeout", s.Duration, math.MaxInt64) }

// ResponseHeadTimeout limits the time from when the request has been sent, or
// stopped moving, to the end of the response's head. It does not run while an
// upload makes progress.
//
// Default: no limit. 0 means no limit. It is kept by ratmom; libcurl has no such
// option.
func ResponseHeadTimeout(d time.Duration) Option { return both(responseHeadTimeout{d}) }

// ResponseHeadTimeout returns the value of the option of that name; 0 if there is
// no limit.
func (r *RequestConfig) ResponseHeadTimeout() time.Duration {
	s, _ := lookup[responseHeadTimeout](r)
	return s.Duration
}

type responseHeadTimeout struct{ time.Duration }

func (s responseHeadTimeout) validate() error {
	return checkTime("ResponseHeadTimeout", s.Duration, math.MaxInt64)
}

// IdleReadTimeout limits the time in which no byte of the response's body
// arrives, while there is room for it: it does not run while the program is slow
// to read.
//
// Default: no limit. 0 means no limit. It is kept by ratmom; libcurl has no such
// option, [LowSpeed] comes closest.
func IdleReadTimeout(d time.Duration) Option { return both(idleReadTimeout{d}) }

// IdleReadTimeout returns the value of the option of that name; 0 if there is no
// limit.
func (r *RequestConfig) IdleReadTimeout() time.Duration {
	s, _ := lookup[idleReadTimeout](r)
	return s.Duration
}

type idleReadTimeout struct{ time.Duration }

func (s idleReadTimeout) validate() error {
	return checkTime("IdleReadTimeout", s.Duration, math.MaxInt64)
}
